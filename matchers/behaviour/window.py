"""A window of records as pandas frames: what analyses of behaviours work on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchers.networks import HomeNetworks
from trailhound import canonical
from trailhound.record import Value

Frame = Any  # pandas.DataFrame, of which there are no types here.
# Columns that are numbers; all others are texts.
NUMBERS = frozenset(
    [
        "id.orig_p",
        "id.resp_p",
        "duration",
        "orig_bytes",
        "resp_bytes",
        "orig_pkts",
        "resp_pkts",
        "request_body_len",
        "response_body_len",
        "status_code",
        "reply_code",
        "auth_attempts",
        "qtype",
        "rcode",
        "certificate.not_valid_before",
        "certificate.not_valid_after",
        "certificate.key_length",
    ]
)
# Of these a record has whole numbers, where a frame has floats.
_PRECISE = frozenset(["certificate.not_valid_before", "certificate.not_valid_after"])
ORIGIN = ("sensor", "module")


def kind_of(column: str) -> Any:
    """Give the type of a column of numbers: single floats, but for times, which those cannot hold."""
    return np.float64 if column in _PRECISE else np.float32


@dataclass(slots=True)
class Window:
    """Records of the last hours, by their own time, and what is remembered of the time before.

    `frames` has a frame a log: `ts` (microseconds since the epoch, ascending), `sensor` and `module` (categories),
    texts as categories (missing where unset), numbers as floats (NaN where unset). A column that no record had is
    there, and empty. One flow that two sensors saw is there once. `start` and `end` are microseconds; `begun` is the
    time of the first record that the site ever had. `first_seen` holds, by log and column, when each value was seen
    first, in the form in which it is remembered. `sent` holds by hour (since the epoch) how many bytes hosts of the
    site sent abroad, `found` by "behaviour key" when a behaviour first found something.
    """

    frames: Mapping[str, Frame]
    start: int
    end: int
    begun: int
    homes: HomeNetworks
    first_seen: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)
    sent: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    found: Mapping[str, int] = field(default_factory=dict)
    _homes: dict[tuple[str, str], NDArray[np.bool_]] = field(default_factory=dict)

    def frame(self, log: str) -> Frame | None:
        """Give the records of a log, None when there are none."""
        frame = self.frames.get(log)
        return frame if frame is not None and len(frame) else None

    def are_home(self, log: str, column: str) -> NDArray[np.bool_]:
        """Tell of each row of a log whether the address in a column is of a home network."""
        key = (log, column)
        if key not in self._homes:
            self._homes[key] = by_category(self.frames[log][column], self._is_home)
        return self._homes[key]

    def _is_home(self, text: str) -> bool:
        address = canonical.address(text)
        return address is not None and self.homes.is_home(address)

    def fields(self, log: str, row: int) -> Mapping[str, Value]:
        """Give what is set in a row, as a record has it."""
        frame = self.frames[log]
        found: dict[str, Value] = {}
        for name in frame.columns:
            value = frame[name].iloc[row]
            if name == "ts" or name in ORIGIN or pd.isna(value):
                continue
            if isinstance(value, str):
                found[name] = value
            else:
                found[name] = int(value) if float(value).is_integer() else float(value)
        return found


def by_category(column: Any, tell: Callable[[str], bool]) -> NDArray[np.bool_]:
    """Ask of each row of a column of categories what is asked once of each category; False where it is unset."""
    told = np.fromiter((tell(category) for category in column.cat.categories), bool, len(column.cat.categories))
    codes = column.cat.codes.to_numpy()
    return np.asarray(np.append(told, [False])[codes], np.bool_)
