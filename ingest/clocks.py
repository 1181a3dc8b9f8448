"""Whether the clock of a sensor agrees with ours, told by the times of its records."""

from dataclasses import dataclass

WINDOW = 300_000_000  # Microseconds over which records are compared.
ENOUGH = 10  # Stretches in a window, without which nothing is said of records that come late.


@dataclass(slots=True)
class Skew:
    """How far records are from the time at which they were read, in microseconds; above 0 they are ahead.

    One record from the future is proof of a wrong clock. One that is late is not: Zeek writes a connection when it has
    ended, with the time of its beginning. So the least late one of a window counts.
    """

    _until: int = 0
    _least: int | None = None
    _stretches: int = 0
    _late: int | None = None
    _ahead: int = 0
    _ahead_at: int | None = None

    def note(self, last_time: int, moment: int, *, live: bool, limit: int) -> None:
        """Take in the time of the newest record of a stretch; `live` says that it had just been written."""
        ahead = last_time - moment
        if ahead > limit:
            self._ahead, self._ahead_at = ahead, moment
        if not live:
            return
        self._turn(moment)
        self._stretches += 1
        self._least = -ahead if self._least is None else min(self._least, -ahead)

    def at(self, moment: int, limit: int) -> int | None:
        """Give what the clock is off by now; None when that is no more than `limit`."""
        if self._ahead_at is not None and moment - self._ahead_at <= WINDOW:
            return self._ahead
        self._turn(moment)
        return -self._late if self._late is not None and self._late > limit else None

    def _turn(self, moment: int) -> None:
        if self._until - WINDOW <= moment < self._until:
            return
        # A window in which too little was written proves nothing, and neither does one that is long over.
        fresh = self._stretches >= ENOUGH and self._until <= moment < self._until + WINDOW
        self._late = self._least if fresh else None
        self._until, self._least, self._stretches = moment + WINDOW, None, 0
