"""Trails, whitelists and exceptions that change while Trailhound runs."""

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from matchers import exceptions
from matchers.engine import Engine
from matchers.exceptions import Exemption
from stores.desk.contract import Author, CustomTrail
from trailhound.commands import prepare
from trailhound.commands.desks import open_desk
from trailhound.commands.reload import Reload
from trailhound.matching import Trails
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings
from trailhound.trail import TrailClass, TrailKind


class Running:
    """A process with an engine that is renewed."""

    def __init__(self, settings: Settings) -> None:
        prepare.state_directory(settings)
        self.settings = settings
        self.now = exceptions.utc_now()
        self.exceptions = exceptions.path_in(settings.state_dir)
        self.engine = prepare.engine(settings, prepare.trail_set(settings), now=self.now)
        self.desk = open_desk(settings)
        self.reload = Reload(settings, self.engine, self.take, compiles=True, desk=self.desk, clock=lambda: self.now)

    def take(self, engine: Engine) -> None:
        self.engine = engine

    def excepts(self, value: str, until: datetime | None = None) -> Exemption:
        """Do what another process does for a person."""
        wanted = Exemption(id=1, reason="ours", by="me", added=self.now, value=value, until=until)
        return exceptions.add(self.exceptions, wanted)

    def adds(self, value: str, **changes: object) -> CustomTrail:
        """Do what a console does for a person."""
        at = round(self.now.timestamp() * MICROSECONDS)
        made = CustomTrail(
            value,
            TrailKind.DOMAIN,
            value,
            "ours",
            TrailClass.C2,
            90,
            "",
            "told",
            "me",
            at,
            **changes,  # type: ignore[arg-type]
        )
        with closing(open_desk(self.settings)) as desk:
            return desk.add_trail(made, Author("me", "", at))

    def meets(self, name: str) -> bool:
        return prepare.Lookup(self.engine.rules).explain([name])[0].found


@pytest.fixture
def trails(tmp_path: Path) -> Path:
    path = tmp_path / "trails.txt"
    path.write_text("one.example\ntwo.example\nthree.example\nfour.example\n", "utf-8")
    return path


@pytest.fixture
def whitelist(tmp_path: Path) -> Path:
    path = tmp_path / "mine.txt"
    path.write_text("", "utf-8")
    return path


@pytest.fixture
def running(tmp_path: Path, trails: Path, whitelist: Path) -> Running:
    chosen = Trails(files=(trails,), starter=False, whitelist=(whitelist,))
    return Running(Settings(state_dir=tmp_path / "state", trails=chosen))


def test_classes_that_do_not_count_still_do_not_after_a_change(tmp_path: Path, trails: Path) -> None:
    trails.write_text("# trailhound: class=policy\none.example\n# trailhound: class=c2\ntwo.example\n", "utf-8")
    chosen = Trails(files=(trails,), starter=False, ignore_classes=(TrailClass.POLICY,))
    running = Running(Settings(state_dir=tmp_path / "state", trails=chosen))
    assert [running.meets(f"{name}.example") for name in ("one", "two")] == [False, True]
    trails.write_text(trails.read_text("utf-8") + "# trailhound: class=policy\nthree.example\n", "utf-8")
    assert running.reload.check()
    assert [running.meets(f"{name}.example") for name in ("one", "two", "three")] == [False, True, False]


def test_trails_of_ones_own_that_change_are_taken_up(tmp_path: Path, trails: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("five.example\n", "utf-8")
    chosen = Trails(files=(trails,), custom=(own,), starter=False)
    running = Running(Settings(state_dir=tmp_path / "state", trails=chosen))
    assert running.meets("five.example")
    own.write_text("five.example\nsix.example\n", "utf-8")
    assert running.reload.check()
    assert running.meets("six.example")
    assert running.engine.rules.trails.about.custom == 2


def test_nothing_new_is_nothing_to_do(running: Running) -> None:
    engine = running.engine
    assert not running.reload.check()
    assert running.engine is engine


def test_a_trail_that_is_added_is_met_and_one_that_is_removed_is_not(running: Running, trails: Path) -> None:
    occasions = running.engine.occasions
    trails.write_text("one.example\ntwo.example\nthree.example\nfive.example\n", "utf-8")
    assert running.reload.check()
    assert running.meets("five.example")
    assert not running.meets("four.example")
    assert running.engine.occasions is occasions
    assert not running.reload.check()


def test_a_trail_that_a_person_adds_is_met_until_it_is_removed(running: Running, trails: Path) -> None:
    compiled = running.engine.rules.trails.about.built
    assert not running.meets("ours.example")
    made = running.adds("ours.example")
    assert running.reload.check()
    assert running.meets("ours.example")
    assert running.meets("www.ours.example")
    assert running.meets("one.example")
    assert running.engine.rules.trails.about.built == compiled, "the large set is what it was"
    assert not running.reload.check()
    trails.write_text("one.example\ntwo.example\nthree.example\nfour.example\nfive.example\n", "utf-8")
    assert running.reload.check()
    assert running.meets("ours.example"), "whatever else changes"
    running.desk.remove_trail(made.id, made.version, Author("me", "", made.made))
    assert running.reload.check()
    assert not running.meets("ours.example")
    assert running.engine.rules.own is None


def test_a_trail_that_a_person_added_is_met_after_a_restart(running: Running) -> None:
    running.adds("ours.example")
    again = Running(running.settings)
    assert again.meets("ours.example")
    assert not again.reload.check()


def test_exceptions_are_stronger_than_trails_that_people_add(running: Running) -> None:
    running.adds("ours.example")
    running.excepts("ours.example")
    assert running.reload.check()
    assert not running.meets("ours.example")


def test_without_an_answer_of_the_desk_its_trails_stay(running: Running, whitelist: Path) -> None:
    running.adds("ours.example")
    assert running.reload.check()
    path = running.settings.state_dir / "desk.sqlite"
    running.desk.close()
    path.write_bytes(b"not a database at all" * 100)
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    whitelist.write_text("one.example\n", "utf-8")
    assert running.reload.check()
    assert not running.meets("one.example")
    assert running.meets("ours.example")


def test_a_whitelist_that_grows_hides(running: Running, whitelist: Path) -> None:
    assert running.meets("one.example")
    whitelist.write_text("one.example  # ours\n", "utf-8")
    assert running.reload.check()
    assert not running.meets("one.example")


def test_an_exception_that_is_added_hides_and_one_that_is_removed_does_not(running: Running) -> None:
    entry = running.excepts("one.example")
    assert running.reload.check()
    assert not running.meets("one.example")
    assert running.meets("two.example")
    assert not running.reload.check()
    exceptions.remove(running.exceptions, entry.id)
    assert running.reload.check()
    assert running.meets("one.example")


def test_an_exception_that_runs_out_is_over_without_a_change_of_its_file(running: Running) -> None:
    running.excepts("one.example", until=running.now + timedelta(hours=1))
    assert running.reload.check()
    assert not running.meets("one.example")
    running.now += timedelta(hours=1)
    assert running.reload.check()
    assert running.meets("one.example")
    assert not running.reload.check()


def test_exceptions_that_cannot_be_read_leave_those_in_force(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    running.excepts("one.example")
    assert running.reload.check()
    content = running.exceptions.read_bytes()
    running.exceptions.write_bytes(content[:-20])
    assert not running.reload.check()
    assert not running.reload.check()
    assert not running.meets("one.example")
    assert capsys.readouterr().out.count("the exceptions cannot be read") == 1
    running.exceptions.write_bytes(content)
    running.excepts("two.example")
    assert running.reload.check()
    assert not running.meets("two.example")


@pytest.mark.parametrize(
    "content",
    ["one.example\n", "one.example\ntwo.example\nthree.example\n# trailhound: kind=cidr\n8.8.8.0/24\n", ""],
    ids=["shrunk", "poisoned", "empty"],
)
def test_a_worse_set_is_not_taken_up(
    running: Running, trails: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    trails.write_text(content, "utf-8")
    assert not running.reload.check()
    assert running.meets("four.example")
    assert not running.reload.check()
    assert capsys.readouterr().out.count("stay in force") == 1


def test_a_trail_file_that_vanishes_and_comes_back_is_waited_for(running: Running, trails: Path) -> None:
    content = trails.read_bytes()
    trails.unlink()
    assert not running.reload.check()
    assert running.meets("one.example")
    trails.write_bytes(content + b"five.example\n")
    assert running.reload.check()
    assert running.meets("five.example")


def test_a_set_that_another_process_compiled_is_opened(running: Running, tmp_path: Path, trails: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state", trails=Trails(files=(trails,), starter=False, whitelist=()))
    taken: list[Engine] = []
    api = Reload(settings, running.engine, taken.append, compiles=False)
    trails.write_text(trails.read_text("utf-8") + "five.example\n", "utf-8")
    assert not api.check()
    assert running.reload.check()
    assert api.check()
    assert taken[0].rules.trails.domains("five.example")
