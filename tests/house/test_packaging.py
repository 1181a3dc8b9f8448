import ast
import re
import sys
from importlib.metadata import packages_distributions

from tests.house import names
from tests.house.tree import PACKAGES, ROOT, files, python_files, setup, syntax, text
from trailhound import __version__

REQUIREMENT = re.compile(r"([a-z0-9-]+)>=(\d+(?:\.\d+)*)(?:,<\d+)?")
# Imported by their own names, but brought and pinned by the distribution whose part they are.
BROUGHT_BY = {
    "starlette": "fastapi",
    "pydantic-core": "pydantic",
    "click": "typer",
    "elastic-transport": "elasticsearch",
}


def requirements(section: str, option: str) -> list[str]:
    return [line for line in setup()[section][option].split("\n") if line]


def all_requirements() -> list[str]:
    extras = [
        line for name in setup()["options.extras_require"] for line in requirements("options.extras_require", name)
    ]
    return [*requirements("options", "install_requires"), *extras]


def test_no_other_distribution_has_our_import_names() -> None:
    assert names.foreign() == {}


def test_the_guard_knows_all_our_import_names() -> None:
    included = [line.removesuffix("*") for line in requirements("options.packages.find", "include")]
    assert set(names.NAMES) == set(PACKAGES) == set(included)


def test_every_package_tells_type_checkers_that_it_is_typed() -> None:
    assert [package for package in PACKAGES if f"{package}/py.typed" not in files()] == []


def test_every_dependency_has_a_lower_bound() -> None:
    assert [line for line in all_requirements() if not REQUIREMENT.fullmatch(line)] == []


def test_every_import_of_somebody_else_is_a_dependency() -> None:
    declared = {line.partition(">=")[0] for line in all_requirements()}
    owners = packages_distributions()
    missing = set()
    for name in python_files(*PACKAGES):
        for top in _imported(ast.walk(syntax(name))):
            if top not in sys.stdlib_module_names and top not in PACKAGES:
                found = {owner.lower().replace("_", "-") for owner in owners.get(top, [top])}
                if not {BROUGHT_BY.get(owner, owner) for owner in found} & declared:
                    missing.add(f"{name} imports {top}")
    assert missing == set()


def _imported(nodes: object) -> list[str]:
    found = []
    for node in nodes:  # type: ignore[attr-defined] # what ast.walk gives
        if isinstance(node, ast.Import):
            found += [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.append(node.module.partition(".")[0])
    return found


def test_the_newest_entry_of_the_changelog_is_this_version_or_unreleased() -> None:
    newest = re.search(r"^## \[?([^\]\s]+)", text("CHANGELOG.md"), re.MULTILINE)
    assert newest is not None
    assert newest[1] in ("Unreleased", __version__)


def test_ci_runs_what_a_person_runs() -> None:
    lines = text(".ci/run").splitlines()
    assert {"make check", "make test"} <= set(lines)
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
