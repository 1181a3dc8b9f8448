import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from api.sending import outbox as under_test
from api.sending.letters import Asked, Limits, New, Progress, Shown
from api.sending.outbox import Outbox
from tests.sending.documents import document
from trailhound.errors import StoreDamaged

NOW = 1_760_000_000_000_000
MINUTE = 60_000_000
FREE = {"hook": Limits(100, 0)}


def new(event: str, target: str = "hook", threat: str = "t") -> New:
    return New(target, event, threat, document(identity=event))


def take(outbox: Outbox, letters: Sequence[New], limits: dict[str, Limits] | None = None, now: int = NOW) -> None:
    outbox.take(Progress("cursor", "event", now, 0), letters, limits or FREE, now)


@pytest.fixture(autouse=True)
def known(outbox: Outbox) -> None:
    outbox.name_targets(["hook", "siem"])


def waiting(outbox: Outbox, target: str = "hook", now: int = NOW) -> list[str]:
    return [letter.event for letter in outbox.due(target, now, 1000)]


def test_events_wait_in_their_order_and_go_when_they_are_delivered(outbox: Outbox) -> None:
    take(outbox, [new("a"), new("b"), new("c")])
    letters = outbox.due("hook", NOW, 2)
    assert [letter.event for letter in letters] == ["a", "b"]
    assert letters[0].document == document(identity="a")
    outbox.delivered("hook", letters, NOW + 1)
    assert waiting(outbox) == ["c"]
    status = outbox.statuses()[0]
    assert (status.name, status.delivered, status.waiting, status.last_delivery) == ("hook", 2, 1, NOW + 1)


def test_an_event_waits_once_however_often_it_is_found(outbox: Outbox) -> None:
    take(outbox, [new("a")])
    take(outbox, [new("a"), new("a"), new("b")])
    assert waiting(outbox) == ["a", "b"]


def test_how_far_the_store_was_followed_is_kept(outbox: Outbox, tmp_path: Path) -> None:
    assert outbox.progress() is None
    outbox.take(Progress("where", "e", 5, 3), [], {}, NOW)
    again = Outbox(tmp_path / "outbox.sqlite")
    assert again.progress() == Progress("where", "e", 5, 3)
    again.close()


def test_what_is_queued_and_how_far_that_is_are_kept_together_or_not_at_all(outbox: Outbox) -> None:
    bad = New("hook", "b", "t", {"not": {1, 2}})
    with pytest.raises(TypeError):
        take(outbox, [new("a"), bad])
    assert outbox.progress() is None
    assert waiting(outbox) == []


def test_a_full_queue_drops_what_comes_and_counts_it(outbox: Outbox) -> None:
    limits = {"hook": Limits(2, 0)}
    take(outbox, [new("a"), new("b"), new("c")], limits)
    take(outbox, [new("d")], limits)
    assert waiting(outbox) == ["a", "b"]
    assert outbox.statuses()[0].dropped == 2
    outbox.delivered("hook", outbox.due("hook", NOW, 1), NOW)
    take(outbox, [new("e")], limits)
    assert waiting(outbox) == ["b", "e"]


def test_a_target_does_not_fill_the_queue_of_another(outbox: Outbox) -> None:
    limits = {"hook": Limits(1, 0), "siem": Limits(10, 0)}
    take(outbox, [new(str(n), target) for n in range(3) for target in ("hook", "siem")], limits)
    assert (len(waiting(outbox)), len(waiting(outbox, "siem"))) == (1, 3)


def test_further_events_of_a_threat_are_left_out_for_a_while(outbox: Outbox) -> None:
    limits = {"hook": Limits(100, 10 * MINUTE)}
    take(outbox, [new("a", threat="x"), new("b", threat="x"), new("c", threat="y")], limits)
    take(outbox, [new("d", threat="x")], limits, NOW + 9 * MINUTE)
    take(outbox, [new("e", threat="x")], limits, NOW + 10 * MINUTE)
    assert waiting(outbox, now=NOW + 10 * MINUTE) == ["a", "c", "e"]
    assert outbox.statuses()[0].quiet == 2


def test_which_threats_were_told_of_is_forgotten_in_time(outbox: Outbox, tmp_path: Path) -> None:
    limits = {"hook": Limits(100, MINUTE)}
    take(outbox, [new("a", threat="x")], limits)
    take(outbox, [new("b", threat="y")], limits, NOW + 2 * MINUTE)
    outbox.sweep({"hook": MINUTE}, NOW + 2 * MINUTE)
    with sqlite3.connect(tmp_path / "outbox.sqlite") as connection:
        assert connection.execute("SELECT threat FROM told").fetchall() == [("y",)]
    connection.close()


def test_what_is_put_off_lets_others_pass(outbox: Outbox) -> None:
    take(outbox, [new("a"), new("b")])
    outbox.put_off("hook", outbox.due("hook", NOW, 1)[0], "too large", NOW, NOW + MINUTE)
    assert waiting(outbox) == ["b"]
    later = outbox.due("hook", NOW + MINUTE, 10)
    assert [(letter.event, letter.tries) for letter in later] == [("b", 0), ("a", 1)]


def test_dead_letters_say_why_and_can_be_sent_once_more(outbox: Outbox) -> None:
    take(outbox, [new("a"), new("b")])
    outbox.bury("hook", outbox.due("hook", NOW, 1)[0], "answers 413", NOW + 5)
    (dead,) = outbox.dead("hook", 10)
    assert (dead.event, dead.reason, dead.made, dead.died) == ("a", "answers 413", NOW, NOW + 5)
    assert (outbox.statuses()[0].dead, outbox.statuses()[0].buried) == (1, 1)
    assert outbox.retry("siem", NOW + 9) == 0
    assert outbox.retry("hook", NOW + 9) == 1
    assert waiting(outbox, now=NOW + 9) == ["b", "a"]
    assert outbox.dead("hook", 10) == []


def test_dead_letters_are_bounded(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "MAX_DEAD", 3)
    take(outbox, [new(str(number)) for number in range(5)])
    assert outbox.give_up("hook", NOW + 1, "away", NOW + 2) == 5
    assert [dead.event for dead in outbox.dead("hook", 10)] == ["4", "3", "2"]
    assert outbox.statuses()[0].buried == 5


def test_only_what_waits_for_long_is_given_up(outbox: Outbox) -> None:
    take(outbox, [new("a"), new("b", "siem")], {"hook": Limits(9, 0), "siem": Limits(9, 0)})
    take(outbox, [new("c")], now=NOW + 10)
    assert outbox.give_up("hook", NOW, "away", NOW + 20) == 0
    assert outbox.give_up("hook", NOW + 10, "away", NOW + 20) == 1
    assert waiting(outbox, now=NOW + 20) == ["c"]
    assert waiting(outbox, "siem") == ["b"]


def test_what_waits_for_a_target_that_is_gone_is_forgotten(outbox: Outbox) -> None:
    take(outbox, [new("a")])
    outbox.name_targets(["siem"])
    assert [status.name for status in outbox.statuses()] == ["siem"]
    outbox.name_targets(["hook", "siem"])
    assert waiting(outbox) == []


def test_only_we_may_read_the_file(outbox: Outbox, tmp_path: Path) -> None:
    assert (tmp_path / "outbox.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    with pytest.raises(StoreDamaged, match="database of another program"):
        Outbox(path).progress()
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreDamaged, match="damaged"):
        Outbox(path).progress()


def test_after_a_kill_everything_that_was_taken_waits(tmp_path: Path) -> None:
    """Kill a process in the middle of taking: how far it is and what waits agree."""
    script = """
import sys
from pathlib import Path
from api.sending.letters import Limits, New, Progress
from api.sending.outbox import Outbox
outbox = Outbox(Path(sys.argv[1]))
outbox.name_targets(["hook"])
for number in range(100_000):
    new = New("hook", str(number), "t", {"n": number})
    outbox.take(Progress(str(number), "e", 0, 0), [new], {"hook": Limits(10**6, 0)}, 1)
    print(number, flush=True)
"""
    path = tmp_path / "killed.sqlite"
    with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 50:
                os.kill(process.pid, signal.SIGKILL)
                break
    outbox = Outbox(path)
    progress = outbox.progress()
    assert progress is not None
    assert int(progress.cursor or 0) >= 50
    assert [letter.event for letter in outbox.due("hook", 1, 10**6)] == [
        str(number) for number in range(int(progress.cursor or 0) + 1)
    ]
    outbox.close()


def shown(id_: str, *, custom: bool = False, type_: str = "indicator") -> Shown:
    return Shown("c", id_, type_, "v", custom, b"{}")


def test_objects_are_added_once_each_at_a_moment_of_its_own(outbox: Outbox) -> None:
    outbox.take(Progress("", "", 0, 0), [], {}, NOW, [shown("a"), shown("b", custom=True)], 10)
    outbox.take(Progress("", "", 0, 0), [], {}, NOW - 5, [shown("a"), shown("c", type_="sighting")], 10)
    found = outbox.shown(Asked("c"), 10)
    assert [one.id for one in found] == ["a", "b", "c"]
    assert len({one.added for one in found}) == 3
    assert [one.id for one in outbox.shown(Asked("c", after=found[0].added), 10)] == ["b", "c"]
    assert [one.id for one in outbox.shown(Asked("c", custom=False), 10)] == ["a", "c"]
    assert [one.id for one in outbox.shown(Asked("c", types=("sighting", "x")), 10)] == ["c"]
    assert [one.id for one in outbox.shown(Asked("c", ids=("a",)), 10)] == ["a"]
    assert outbox.shown(Asked("other"), 10) == []


def test_old_objects_make_way(outbox: Outbox) -> None:
    for number in range(5):
        outbox.take(Progress("", "", 0, 0), [], {}, NOW + number, [shown(str(number))], 3)
    assert [one.id for one in outbox.shown(Asked("c"), 10)] == ["2", "3", "4"]
