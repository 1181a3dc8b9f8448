"""The examples of `docs/soar.md`, each run against a real server, in their order."""

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from stores.contract import Store
from tests.stores.factory import HOUR, make_event
from tests.trailhound.client.test_client import ATTACKER
from trailhound.client import Client
from trailhound.record import MICROSECONDS

PAGE = (Path(__file__).parents[3] / "docs" / "soar.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```(python|sh)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def environment(url: str, key: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("TRAILHOUND_URL", url)
    monkeypatch.setenv("TRAILHOUND_KEY", key)
    return dict(os.environ)


def test_the_page_has_what_a_playbook_does() -> None:
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert set(headings) >= {"Enrich", "Triage", "Block", "Unblock"}
    assert len(EXAMPLES) > 10


def test_every_example_in_python_does_what_it_says(
    environment: dict[str, str], trailhound: Client, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    now = int(time.time()) * MICROSECONDS
    store.append([make_event(identity="now", start=now - HOUR, source_ip="192.168.1.77")])
    names: dict[str, Any] = {}
    for number, (language, code) in enumerate(EXAMPLES):
        if language == "python":
            exec(compile(code, f"docs/soar.md, example {number}", "exec"), names)
    names["trailhound"].close()
    said = capsys.readouterr().out
    assert "evil.example" in said
    assert "192.168.1.77 evil.example" in said, "triaged"
    assert "somebody else has it" not in said
    assert "key playbook" in said, "who lifted it"
    assert trailhound.triage(names["threat"].id).triage.state == "resolved"
    assert [one.address for one in trailhound.cleared()] == [ATTACKER]
    assert [one.value for one in trailhound.decisions()] == ["partner.example"]
    assert len(names["events"]) > 0
    assert names["hours"].to_numpy().sum() == 1


def test_every_example_of_the_shell_works(environment: dict[str, str], trailhound: Client) -> None:
    for language, code in EXAMPLES:
        if language == "sh":
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", code],
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, f"{code}{done.stderr}"
    assert [(one.value, one.reason) for one in trailhound.decisions()] == [("198.51.100.7", "case 4711")]
    assert [one.triage.note for one in trailhound.threats(state="investigating") if one.triage] == ["asked the owner"]
