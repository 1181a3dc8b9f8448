"""Events that the store refuses: dead letters that can be given to it again."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.deadletters import DeadLetters, LetterFile
from ingest.refused import bury, event_of, is_event
from ingest.replay import Replay
from stores.contract import Query
from tests.ingest.living import engine
from tests.ingest.place import Place
from tests.stores.factory import make_event, make_trail
from tests.stores.strategies import events
from trailhound.event import Event

NOW = "2026-01-01T00:00:00.000000Z"


def _buried(folder: Path, refused: Sequence[Event]) -> LetterFile:
    path = folder / "deadletters.ndjson"
    path.unlink(missing_ok=True)
    letters = DeadLetters(path)
    for event in refused:
        bury(letters, event, "its id is too long", NOW)
    return LetterFile(path)


@given(events())
def test_an_event_comes_back_from_its_letter(tmp_path_factory: pytest.TempPathFactory, event: Event) -> None:
    (letter,) = _buried(tmp_path_factory.getbasetemp(), [event])
    assert is_event(letter)
    assert event_of(letter) == event


HOSTILE = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)


@given(st.dictionaries(st.text(min_size=1), HOSTILE), st.text(st.characters()))
def test_whatever_its_record_said(tmp_path_factory: pytest.TempPathFactory, ecs: dict[str, Any], text: str) -> None:
    event = make_event(ecs=ecs | {"bad": "\ud800"}, message=text, trail=make_trail(info=text))
    (letter,) = _buried(tmp_path_factory.getbasetemp(), [event])
    assert event_of(letter) == event


def test_the_letter_says_whose_it_is_and_why(tmp_path: Path) -> None:
    (letter,) = _buried(tmp_path, [make_event(ecs={"log.file.path": "/logs/dns.log"})])
    assert (letter.sensor, letter.file) == ("sensor-1", "/logs/dns.log")
    assert letter.reason == "the store refuses the event: its id is too long"


def test_a_replay_gives_the_event_to_the_store_once_more(place: Place) -> None:
    refused = [make_event(identity=str(number)) for number in range(3)]
    letters = _buried(place.state, refused)
    with place.store() as store:
        store.append(refused[:1])
        replay = Replay(engine(place.trails), store, 1000, lambda: 0)
        replayed = replay.run(letters, lambda letter: "id" in letter.reason)
        assert (replayed.read, replayed.stored, replayed.known, replayed.left) == (3, 2, 1, 0)
        assert store.count(Query()) == 3
    assert not letters.path.exists()


@pytest.mark.parametrize("raw", [b"", b"{}", b"[" * 2000, b'{"id": 1}', b"\xff"])
def test_what_is_no_event_stays_a_letter(tmp_path: Path, raw: bytes) -> None:
    (letter,) = _buried(tmp_path, [make_event()])
    assert event_of(replace(letter, raw=raw)) is None
