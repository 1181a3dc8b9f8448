"""Whether Trailhound does what it is there for: see all records, and keep what it finds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from feeds.status import STALE as STALE_FEED
from feeds.status import Status
from stores.contract import SensorStatus, Store
from trailhound.errors import StoreDamaged, StoreError, TrailhoundError
from trailhound.record import MICROSECONDS

# A heartbeat comes every second; a large batch, or a store that waits for its disk, may hold it up.
STALE = 60 * MICROSECONDS
MAX_REASONS = 20
Trouble = Callable[[], str | None]
Feeds = Callable[[], Sequence[Status]]


@dataclass(frozen=True, slots=True)
class Health:
    """A sentence for everything that does not work, and one for what a person should look at."""

    reasons: Sequence[str] = ()
    warnings: Sequence[str] = ()


def untroubled() -> None:
    """Say that nothing is known to be wrong: the answer where logs are not read beside the API."""


def without_feeds() -> Sequence[Status]:
    """Say nothing of feeds."""
    return ()


def health(store: Store, now: int, trouble: str | None = None, feeds: Feeds = without_feeds) -> Health:
    """Tell what is wrong; nothing when all is well. `trouble` is what whoever reads logs says of itself.

    A store that never had a heartbeat is well: nothing has been set to watch logs yet, or archives were read once.
    """
    said = (trouble,) if trouble is not None else ()
    try:
        sensors = store.sensors()
    except StoreDamaged:
        return Health((*said, "the store is damaged"))
    except StoreError:
        return Health((*said, "the store cannot be read"))
    problems = said or _problems(sensors, now)
    return Health(_bounded(problems), _bounded((*_of_feeds(feeds, now), *_warnings(sensors, now))))


def _problems(sensors: Sequence[SensorStatus], now: int) -> Iterator[str]:
    if not sensors:
        return
    age = now - max(status.updated for status in sensors)
    if age > STALE:
        yield f"ingest is not running: its last heartbeat is {age // MICROSECONDS:,} s old"
        return
    logs: dict[str, list[SensorStatus]] = {}
    for status in sensors:
        if status.problem and _is_fresh(status, now):
            logs.setdefault(status.problem, []).append(status)
    for problem, having in logs.items():
        # What keeps many logs from being read is one reason, not many.
        yield f"{_name(having[0])}: {problem}" if len(having) == 1 else f"{len(having):,} logs: {problem}"


def _warnings(sensors: Sequence[SensorStatus], now: int) -> Iterator[str]:
    for status in sensors:
        if status.warning and _is_fresh(status, now):
            yield f"{_name(status)}: {status.warning}"


def _of_feeds(feeds: Feeds, now: int) -> Iterator[str]:
    """Name the feeds that are too old; what went wrong with each stands in their list."""
    seconds = now // MICROSECONDS
    try:
        stale = [status for status in feeds() if status.stale(seconds)]
    except TrailhoundError as error:
        yield str(error)
        return
    for status in stale:
        age = status.age(seconds)
        old = "never came" if age is None else f"is {age // 3600:,} h old, {STALE_FEED} intervals have passed"
        yield f"feed {status.feed.name} {old}{f': {status.error}' if status.error else ''}"


def _is_fresh(status: SensorStatus, now: int) -> bool:
    """Tell whether a log is still followed: an old heartbeat beside fresh ones is that of one that is not."""
    return now - status.updated <= STALE


def _name(status: SensorStatus) -> str:
    return f"{status.sensor}, {status.log}"


def _bounded(sentences: Iterable[str]) -> Sequence[str]:
    found = list(sentences)
    if len(found) > MAX_REASONS:
        found[MAX_REASONS - 1 :] = [f"{len(found) - MAX_REASONS + 1} more"]
    return tuple(found)
