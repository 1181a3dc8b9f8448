"""What every target does."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Document = Mapping[str, Any]


class Target(Protocol):
    """Takes events; used by one thread, and closed at the end. `batch` is how many it takes at once."""

    batch: int

    def send(self, documents: Sequence[Document]) -> int:
        """Send all of them, and give how many were of no use there.

        Raises `Later` when none of them may have arrived, `Refused` when at least one is not taken. After `Later` some
        may have arrived all the same: they are sent again.
        """
        ...

    def close(self) -> None: ...
