"""What passes a running Trailhound is remembered, and what is read again is not counted again."""

import urllib.parse
from collections.abc import Callable
from typing import Any

from tests.e2e.installation import Installation, Process, eventually
from tests.ingest.living import append, header, name, rows

Start = Callable[..., Process]


def seen(process: Process, value: str) -> Any:
    (found,) = process.ask(f"/api/v1/observables?value={urllib.parse.quote(value)}")["observables"]
    return found


def run_once(installation: Installation, start: Start, records: int) -> None:
    """Read what is there, until so many records were read over all runs, and end as a service does."""
    process = start(*installation.run)
    eventually(lambda: [one["records"] for one in process.ask("/api/v1/sensors")["sensors"]] == [records])
    assert process.end() == 0


def test_what_passed_is_remembered_and_reading_it_again_changes_nothing(
    installation: Installation, start: Start
) -> None:
    settings = installation.root / "trailhound" / "trailhound.toml"
    settings.parent.mkdir()
    settings.write_text("[observables]\nenabled = true\n", "utf-8")
    append(installation.log, header() + rows(range(3)))
    run_once(installation, start, 3)
    server = start("serve", "--state", installation.state, "--port", 0)
    client, query = seen(server, "10.0.0.5"), seen(server, name(1))
    assert client["seen"], "it met no trail, and passed"
    assert query["seen"]
    assert [by["sensor"] for by in client["sensors"]] == ["dmz"]
    assert client["hours"] == 1
    assert seen(server, "never.example")["seen"] is False
    server.end()
    (installation.state / "positions.json").unlink()
    run_once(installation, start, 6)
    server = start("serve", "--state", installation.state, "--port", 0)
    assert (seen(server, "10.0.0.5"), seen(server, name(1))) == (client, query)
