import re
from pathlib import PurePosixPath

import pytest

from tests.house.tree import ROOT, files, text
from trailhound.settings import keys

LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")
PAGES = [name for name in files() if name.endswith(".md")]


def links(page: str) -> list[str]:
    """Give the files that a page links to, relative to the root."""
    targets = [
        target for target in LINK.findall(text(page)) if "://" not in target and not target.startswith("mailto:")
    ]
    folder = ROOT / PurePosixPath(page).parent
    return [str((folder / target).resolve().relative_to(ROOT)) for target in targets]


def test_every_page_can_be_reached_from_the_readme() -> None:
    assert [page for page in PAGES if page.startswith("docs/") and page not in links("README.md")] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    assert [target for target in links(page) if not (ROOT / target).exists()] == []


def test_every_setting_is_documented() -> None:
    page = text("docs/settings.md")
    assert [key for key in keys() if f"`{key}`" not in page] == []
