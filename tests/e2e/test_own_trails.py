"""Trails that people add while Trailhound runs, over HTTP: met by the log lines that follow."""

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.e2e.installation import Installation, Process, eventually
from tests.ingest.living import header, name, row

SOON = 10.0  # Seconds; about three are promised, on a machine that does nothing else.


def send(process: Process, method: str, path: str, body: Any = None, **headers: str) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{process.url}{path}", data, headers, method=method)
    if body is not None:
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_a_trail_that_is_added_is_met_within_seconds_until_it_is_removed(
    installation: Installation, start: Callable[..., Process]
) -> None:
    process = start(*installation.run)
    installation.log.write_bytes(header() + row(1, name(1)) + row(2, "ours.example"))
    eventually(lambda: process.trails() == {name(1): 1})
    added = time.monotonic()
    wanted = {"trail": "ours.example", "info": "ours", "class": "c2", "reason": "told"}
    made = send(process, "POST", "/api/v1/custom-trails", wanted)

    def asked() -> int:
        with installation.log.open("ab") as log:
            log.write(row(3, "ours.example"))
        time.sleep(0.2)
        return process.trails().get("ours.example", 0)

    eventually(asked)
    assert time.monotonic() - added < SOON
    assert process.ask("/api/v1/trails/check?value=www.ours.example")["results"][0]["found"]
    (event,) = [one for one in process.events() if one["trailhound"]["trail"] == "ours.example"][:1]
    assert event["trailhound"]["custom"] is True
    path = f"/api/v1/custom-trails/{made['id']}"
    removed = time.monotonic()
    assert send(process, "DELETE", path, **{"If-Match": '"1"'})["removed_by"] == "anybody"
    eventually(lambda: not process.ask("/api/v1/trails/check?value=ours.example")["results"][0]["found"])
    assert time.monotonic() - removed < SOON
    eventually(lambda: asked() == asked(), SOON)
    assert process.end() == 0
    again = start(*installation.run)
    assert not again.ask("/api/v1/trails/check?value=ours.example")["results"][0]["found"]
    entries = again.ask("/api/v1/audit")["entries"]
    assert [one["action"] for one in entries] == ["trail.remove", "trail.add"]
