"""Whatever writers and rotators do, while we look and while we do not: each line is handed on once, and in order."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import rotated
from ingest.follow import Follow
from ingest.positions import Saved, load, save
from ingest.watch import Watch
from tests.ingest.living import WANTED, take, text
from tests.ingest.rotating import Rotator
from trailhound.watching import Folder

_WRITTEN = ["line", "lines", "half", "rest"]
_ROTATED = ["rotate", "rotate-logrotate", "rotate-dated", "copytruncate", "compress"]
_OURS = ["read", "read", "restart", "crash", "let-go", "delete-rotated"]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotated, "SETTLE", 0.0)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(st.sampled_from(_WRITTEN * 2 + _ROTATED + _OURS), min_size=5, max_size=60))
def test_whatever_rotators_do_every_line_is_handed_on_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    machine = _Machine(tmp_path_factory.mktemp("machine"))
    for step in [*steps, "rest", "read"]:
        machine.do(step)
    machine.close()
    lines = [line for line in machine.read.splitlines(keepends=True) if not line.startswith(b"#")]
    assert sorted(lines) == sorted(machine.rotator.written)
    for file in machine.rotator.files:  # Between files there is no order, within each there is.
        of_file = set(file)
        assert [line for line in lines if line in of_file] == file
    assert machine.lost == 0


class _Machine:
    """A folder, a rotator, and a follower that runs only from `read` to `restart` or `crash`."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "logs"
        self._state = root / "positions.json"
        self._folder.mkdir()
        self.rotator = Rotator(self._folder)
        self.read = b""
        self.lost = 0
        self._follow: Follow | None = None
        self._drain()  # A first run that knows what is new from then on.

    def do(self, step: str) -> None:
        if step == "read":
            self._drain()
        elif step == "delete-rotated":
            self._drain()
            self.rotator.delete_rotated()
        elif step == "let-go":
            for key in [key for key, followed in self._running().open.items() if followed.tail.stalled]:
                self._running()._let_go(key)
        elif step == "restart":
            self._save()
            self.close()
        elif step == "crash":
            self.close()
        else:
            self.rotator.do(step)

    def close(self) -> None:
        if self._follow is not None:
            self._follow.close()
            self._follow._watch.close()
            self._follow = None

    def _running(self) -> Follow:
        if self._follow is None:
            watch = Watch([Folder(path=self._folder, sensor="s")], polling=True)
            saved = load(self._state) if self._state.exists() else Saved()
            self._follow = Follow(watch, WANTED, saved, from_end=False, most_open=3)
        return self._follow

    def _drain(self) -> None:
        follow = self._running()
        idle = 0
        while idle < 3:
            follow.discover()
            more = b"".join(text(take(followed.tail)) for followed in list(follow.open.values()))
            self.read += more
            idle = 0 if more else idle + 1
            follow.rest()
        self.lost += sum(loss.bytes for loss in follow.losses())
        # What was handed on has been acknowledged, as the pipeline does after the store has.
        self._save()

    def _save(self) -> None:
        save(self._state, self._running().positions(), self._running().looked)


def test_several_rotations_and_compressions_while_down_lose_nothing(tmp_path: Path) -> None:
    machine = _Machine(tmp_path)
    for step in ("lines", "read", "lines", "restart"):
        machine.do(step)
    for _ in range(3):
        for step in ("lines", "rotate-logrotate", "lines", "copytruncate", "lines", "rotate", "compress"):
            machine.do(step)
    machine.do("read")
    machine.close()
    lines = [line for line in machine.read.splitlines(keepends=True) if not line.startswith(b"#")]
    assert sorted(lines) == sorted(machine.rotator.written)
