"""Where `trailhound events` finds them: in the store of the settings, or through the API of another Trailhound."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from stores.contract import EventOrder, Query, Store
from stores.desk.asking import settled
from stores.search.parse import parse
from trailhound import secret
from trailhound.client import Client
from trailhound.commands import prepare
from trailhound.commands.desks import open_desk
from trailhound.errors import SearchError, SettingsError
from trailhound.event import timestamp
from trailhound.settings import Settings

_PAGE = 500
Documents = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. Times are microseconds since the epoch."""

    search: str
    since: int | None
    until: int | None
    order: EventOrder


class Found(Protocol):
    """Events, a page at a time."""

    @property
    def is_done(self) -> bool:
        """Tell whether there was nothing more when the last page was given; later there may be."""
        ...

    def page(self, most: int | None) -> Documents:
        """Give the events that follow those given before; none when there is nothing more yet."""
        ...


class _Here:
    """Those of a store."""

    def __init__(self, store: Store, query: Query, order: EventOrder) -> None:
        self._store = store
        self._query = query
        self._order = order
        self._cursor: str | None = None
        self.is_done = False

    def page(self, most: int | None) -> Documents:
        size = _PAGE if most is None else min(most, _PAGE)
        found = self._store.events(self._query, order=self._order, limit=size, cursor=self._cursor)
        self.is_done = found.next is None or len(found.events) < size
        # In the order of arrival every page with events has a cursor, and an empty one none: it stays where it was.
        self._cursor = found.next or self._cursor
        return found.events


class _Elsewhere:
    """Those that another Trailhound gives."""

    def __init__(self, client: Client, wish: Wish) -> None:
        self._client = client
        self._wish = wish
        self._cursor: str | None = None
        self.is_done = False

    def page(self, most: int | None) -> Documents:
        size = _PAGE if most is None else min(most, _PAGE)
        conditions = {
            "search": self._wish.search or None,
            "since": None if self._wish.since is None else timestamp(self._wish.since),
            "until": None if self._wish.until is None else timestamp(self._wish.until),
        }
        found, next_ = self._client.events_page(
            order=self._wish.order.value, limit=size, cursor=self._cursor, conditions=conditions
        )
        self.is_done = next_ is None or len(found) < size
        self._cursor = next_ or self._cursor
        return found


@contextmanager
def here(settings: Settings, wish: Wish) -> Iterator[Found]:
    """Find them in the store of the settings, which may be written to meanwhile."""
    with closing(prepare.store(settings, read_only=True)) as store, closing(open_desk(settings)) as desk:
        try:
            where = settled(parse(wish.search), desk, store)
        except SearchError as error:
            raise SettingsError(f"{wish.search!r}: {error}") from error
        yield _Here(store, Query(since=wish.since, until=wish.until, where=where), wish.order)


@contextmanager
def elsewhere(settings: Settings, wish: Wish, server: str, key: str, ca_file: Path | None) -> Iterator[Found]:
    """Find them through an API; `key` is the name of the secret that is the key for it."""
    found = secret.find(key, settings.state_dir / "secrets") if key else ""
    with Client(server, found, ca_file=ca_file) as client:
        yield _Elsewhere(client, wish)
