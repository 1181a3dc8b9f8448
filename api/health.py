"""Whether Trailhound does what it is there for: see all records, and keep what it finds."""

from collections.abc import Iterator, Sequence

from stores.contract import SensorStatus, Store
from trailhound.errors import StoreDamaged, StoreError
from trailhound.record import MICROSECONDS

# A heartbeat comes every second; a large batch, or a store that waits for its disk, may hold it up.
STALE = 60 * MICROSECONDS
MAX_REASONS = 20


def reasons(store: Store, now: int) -> Sequence[str]:
    """Give a sentence for everything that does not work; none when all is well.

    A store that never had a heartbeat is well: nothing has been set to watch logs yet, or archives were read once.
    """
    try:
        sensors = store.sensors()
    except StoreDamaged:
        return ("the store is damaged",)
    except StoreError:
        return ("the store cannot be read",)
    found = list(_of_sensors(sensors, now))
    if len(found) > MAX_REASONS:
        found[MAX_REASONS - 1 :] = [f"{len(found) - MAX_REASONS + 1} more"]
    return found


def _of_sensors(sensors: Sequence[SensorStatus], now: int) -> Iterator[str]:
    if not sensors:
        return
    age = now - max(status.updated for status in sensors)
    if age > STALE:
        yield f"ingest is not running: its last heartbeat is {age // MICROSECONDS:,} s old"
        return
    for status in sensors:
        # An old heartbeat beside fresh ones is that of a log that is no longer followed.
        if status.problem and now - status.updated <= STALE:
            yield f"{status.sensor}, {status.log}: {status.problem}"
