"""What is handed to the store: the events of several files, of which it may take some and not others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingest.follow import Followed
from ingest.stretch import Stretch
from ingest.tail import Piece
from stores.contract import Store
from trailhound.errors import StorePartly
from trailhound.event import Event


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """A piece of a file and what it came to; `live` says that the file had been read to its end before."""

    followed: Followed
    piece: Piece
    stretch: Stretch
    live: bool = False


class Handing:
    """Work that is under way to the store. `left` is what is not done, `events` what the store has not acknowledged."""

    def __init__(self, work: Sequence[Work]) -> None:
        self.left = list(work)
        self.events: list[Event] = [event for item in work for event in item.stretch.events]
        self.reason = ""

    def offer(self, store: Store) -> None:
        """Offer the store what it does not have. Raises `StoreUnavailable` when no work is done by that."""
        if not self.events:
            return
        try:
            store.append(self.events)
        except StorePartly as partly:
            self.events = [event for event in self.events if event.id in partly.ids]
            self.reason = str(partly)
            if all(map(self._waits(), self.left)):
                raise
        else:
            self.events = []

    def done(self) -> list[Work]:
        """Take out the work all of whose events are stored."""
        waits = self._waits()
        done = [item for item in self.left if not waits(item)]
        self.left = [item for item in self.left if waits(item)]
        return done

    def _waits(self) -> Callable[[Work], bool]:
        ids = {event.id for event in self.events}
        return lambda item: bool(ids) and any(event.id in ids for event in item.stretch.events)
