"""Dead letters, read again: what can be read now goes to the store, and is a dead letter no longer.

Each line is matched by itself, so its events depend on nothing but the line: whatever is replayed together, and
however often, they have the same ids. So letters are taken out only after the store has acknowledged all that came of
them; a crash before that replays them once more, and the store has their events already.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from ingest.batch import Known, Reader
from ingest.deadletters import Letter, LetterFile
from ingest.formats import READERS, reader_of
from ingest.refused import event_of, is_event
from ingest.stretch import Stretch, match
from matchers.engine import Engine
from matchers.events import Events
from matchers.memory import Occasions
from stores.contract import Store
from trailhound.event import Event

EVENTS = 1000  # Events that are stored at once.


@dataclass(slots=True)
class Replayed:
    """What became of letters.

    Of those that were `chosen`, `read` can be read now. The others stay: `unreadable` as before, `cut` because the
    letter holds only the beginning of the line, `unknown` because it does not say what the reader knew. `stored` counts
    events that are new to the store, `known` those that it had.
    """

    chosen: int = 0
    read: int = 0
    unreadable: int = 0
    cut: int = 0
    unknown: int = 0
    stored: int = 0
    known: int = 0

    @property
    def left(self) -> int:
        return self.chosen - self.read


@dataclass(slots=True)
class Replay:
    """Reads letters again with an engine of this moment. `now` gives microseconds since the epoch."""

    engine: Engine
    store: Store
    max_line: int
    now: Callable[[], int]
    _readers: dict[Known, Reader] = field(default_factory=dict)

    def run(self, letters: LetterFile, chosen: Callable[[Letter], bool]) -> Replayed:
        """Replay the chosen letters of a file, and take out those that can be read now.

        Raises `StoreUnavailable`, `StoreDamaged`, `SourceError` and `OSError`; then no letter was taken out.
        """
        replayed = Replayed()
        # What a replay that was broken off met must not count for this one.
        self.engine.occasions = Occasions()
        read: set[int] = set()
        events: list[Event] = []
        for letter in letters:
            if not chosen(letter):
                continue
            replayed.chosen += 1
            stretch = self._match(letter, replayed)
            if stretch is None:
                continue
            read.add(letter.place)
            events += stretch.events
            if len(events) >= EVENTS:
                self._store(events, replayed)
        self._store(events, replayed)
        if read:
            letters.take_out(read)
        replayed.read = len(read)
        return replayed

    def _store(self, events: list[Event], replayed: Replayed) -> None:
        if events:
            acknowledged = self.store.append(events)
            replayed.stored += acknowledged.stored
            replayed.known += acknowledged.known
            events.clear()

    def _match(self, letter: Letter, replayed: Replayed) -> Stretch | None:
        """Read and match one line; None when it stays a dead letter, which is counted."""
        if letter.cut:
            replayed.cut += 1
            return None
        if is_event(letter):
            return self._refused(letter, replayed)
        reader = self._reader(letter.known)
        if letter.known is None or reader is None:
            replayed.unknown += 1
            return None
        # The first line of a file is read in its own way.
        reader.lines = max(0, letter.line - 1)
        events = Events(letter.sensor, letter.file, self.now)
        stretch = match(reader, self.engine, letter.raw + b"\n", events, max_line=self.max_line)
        if reader.state != letter.known.state:
            del self._readers[letter.known]  # It has learnt from this line, and the next one stands elsewhere.
        if stretch.bad_lines:
            replayed.unreadable += 1
            return None
        return stretch

    def _refused(self, letter: Letter, replayed: Replayed) -> Stretch | None:
        """Read an event that the store refused."""
        event = event_of(letter)
        if event is None:
            replayed.unknown += 1
            return None
        return Stretch(events=[event])

    def _reader(self, known: Known | None) -> Reader | None:
        if known is None or known.format not in READERS:
            return None
        if known not in self._readers:
            try:
                self._readers[known] = reader_of(known.format, self.engine.wanted(), known.log, known.state)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                return None  # Somebody wrote into the letters.
        return self._readers[known]
