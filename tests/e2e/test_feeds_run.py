"""Feeds and a real `trailhound run`: a list changes, and running processes match with it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from feeds.shelf import Facts
from tests.commands.feeding import Site
from tests.e2e.installation import Process, eventually
from tests.feeds.fetching.server import Handler, body, serving, status
from tests.ingest.living import append, header, name, rows

Start = Callable[..., Process]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving(Handler, None) as place:
        site = Site(tmp_path / "site", place)
        site.settle(update=True)
        (site.root / "logs").mkdir()
        append(site.root / "logs" / "dns.log", header())
        yield site


def arguments(site: Site) -> list[object]:
    return ["run", site.root / "logs", "-c", site.config, "--sensor", "dmz", "--port", 0]


def let_time_pass(site: Site, feed: str) -> None:
    """Have the last try be long ago, as if hours had passed."""
    path = site.settings.shelf_path / feed / "facts.json"
    facts = msgspec.json.decode(path.read_bytes(), type=Facts)
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(facts, tried=facts.tried - 7 * 86_400)))


def meets(process: Process, log: Path, number: int, *others: int) -> bool:
    """Log names once more, and tell whether the first of them was ever met."""
    append(log, rows([number, *others]))
    return name(number) in process.trails()


def hangs(handler: Handler) -> None:
    handler.place.over.wait(120)


def test_a_feed_that_changes_is_matched_with_by_itself(site: Site, start: Start) -> None:
    site.feed("one", f"{name(1)}\n")
    process = start(*arguments(site))
    eventually(lambda: process.ask("/api/v1/feeds")["feeds"][0]["trails"] == 1)
    log = site.root / "logs" / "dns.log"
    eventually(lambda: meets(process, log, 1, 2))
    assert name(2) not in process.trails()
    site.give("one", f"{name(1)}\n{name(2)}\n")
    let_time_pass(site, "one")
    eventually(lambda: meets(process, log, 2))
    found = process.ask("/api/v1/trails/check?value=" + name(2))["results"][0]
    assert [one["sources"] for one in found["matches"]] == [["one"]]
    assert process.end() == 0
    assert "Traceback" not in process.said


def test_a_command_beside_it_is_taken_up_too(site: Site, start: Start) -> None:
    site.settle(update=False)
    site.feed("one", f"{name(1)}\n")
    process = start(*arguments(site))
    assert process.answers()
    time.sleep(1)
    assert site.place.requests == [], "nobody said that it may go out"
    command = start("feeds", "update", "-c", site.config)
    assert command.popen.wait(60) == 0
    log = site.root / "logs" / "dns.log"
    eventually(lambda: meets(process, log, 1))


def test_while_feeds_are_in_trouble_matching_goes_on(site: Site, start: Start) -> None:
    site.feed("good", f"{name(1)}\n")
    site.feed("page")
    site.place.answers["/page.txt"] = body(b"<html></html>")
    site.feed("gone")
    site.place.answers["/gone.txt"] = status(404)
    process = start(*arguments(site))
    log = site.root / "logs" / "dns.log"
    eventually(lambda: meets(process, log, 1))
    eventually(lambda: all(one["tried"] for one in process.ask("/api/v1/feeds")["feeds"]))
    found = {one["name"]: one["error"] for one in process.ask("/api/v1/feeds")["feeds"]}
    assert found["good"] is None
    assert "404" in found["gone"]
    assert "a web page came in place of a list" in found["page"]
    assert process.health()["status"] == "ok"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_an_update_ends_with_it(site: Site, start: Start, how: signal.Signals) -> None:
    site.feed("slow")
    site.place.answers["/slow.txt"] = hangs
    process = start(*arguments(site))
    eventually(lambda: site.place.asked("/slow.txt"))
    children = process.children()
    if how == signal.SIGINT:
        os.killpg(process.popen.pid, how)
        assert process.popen.wait(60) == 0
    else:
        assert process.end(how) == (0 if how == signal.SIGTERM else -how)
    eventually(lambda: not [pid for pid in children if _runs(pid)])
    assert "Traceback" not in process.said


def _runs(pid: int) -> bool:
    """Tell whether a process is there and not merely waiting for somebody to notice its end."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    return False
