"""Frames of the spool to pandas frames: each distinct cell is read once, numbers and times in bulk."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest import zeek_header
from ingest.moments import LAST_SECOND, microseconds
from ingest.spool import Frame
from matchers.behaviour.window import NUMBERS, ORIGIN, kind_of
from trailhound import canonical
from trailhound.errors import RecordError
from trailhound.record import MICROSECONDS

# Texts of one column that a window tells apart: in a storm of made-up ones, further ones are as if unset.
MOST_TEXTS = 2_000_000
_LONGEST = 512  # Characters of a text that are kept: clients choose how long one is.
_DNS_CELLS = (b"53", "53", 53)
_ENDS = ("id.orig_h", "id.resp_h", "id.orig_p", "id.resp_p")


def _address(text: str) -> str:
    return canonical.address(text) or text


def _name(text: str) -> str:
    return text.lower().rstrip(".")


def _host(text: str) -> str:
    return _name(canonical.host_port(text)[0])


# How texts of a column are written alike.
_ALIKE: Mapping[str, Callable[[str], str]] = {
    "id.orig_h": _address,
    "id.resp_h": _address,
    "query": _name,
    "server_name": _name,
    "host": _host,
}


class Builder:
    """Collects frames of one log; `build` gives them as one pandas frame."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._tables: dict[str, dict[str, int]] = {name: {} for name in (*names, *ORIGIN) if name not in NUMBERS}
        self._parts: dict[str, list[NDArray[Any]]] = defaultdict(list)
        self.rows = 0

    def add(self, frame: Frame) -> None:
        """Add a frame; its columns must be of one length, as those of a batch are."""
        times = moments(frame.times)
        columns = dict(frame.columns)
        if any(len(column) != len(times) for column in columns.values()):
            return
        if frame.log == "dns":
            columns = _put_right(columns)
        unset = frozenset(frame.unset)
        self._parts["ts"].append(times)
        for name in self._names:
            column = columns.get(name, ())
            if name in NUMBERS:
                self._parts[name].append(_numbers(name, column, len(times)))
            else:
                self._parts[name].append(self._codes(name, column, unset, len(times)))
        for name, text in zip(ORIGIN, (frame.sensor, frame.module), strict=True):
            table = self._tables[name]
            self._parts[name].append(np.full(len(times), table.setdefault(text, len(table)), np.int32))
        self.rows += len(times)

    def build(self) -> Any:
        """Give what came as a frame, without the rows whose time is none."""
        columns: dict[str, Any] = {}
        for name in ("ts", *ORIGIN, *self._names):
            joined = np.concatenate(self._parts[name])
            if name in self._tables:
                joined = pd.Categorical.from_codes(joined, pd.Index(list(self._tables[name]), dtype=object))
            columns[name] = joined
        made = pd.DataFrame(columns)
        return made[made["ts"] >= 0]

    def _codes(self, name: str, column: Sequence[object], unset: frozenset[object], rows: int) -> NDArray[np.int32]:
        if not column:
            return np.full(rows, -1, np.int32)
        cells = np.fromiter(map(_hashable, column), object, rows)
        codes, distinct = pd.factorize(cells)
        table = self._tables[name]
        numbers = [
            -1 if text is None else table.setdefault(text, len(table)) for text in _texts(name, list(distinct), unset)
        ]
        return np.asarray(np.array([*numbers, -1], np.int32)[codes], np.int32)


def _hashable(cell: object) -> object:
    if cell.__class__ is list:
        return ",".join(item for item in cell if isinstance(item, str))
    # A truth value and a number may be equal, and so one cell.
    return ("F", "T")[cell] if isinstance(cell, bool) else cell


def _texts(name: str, cells: Sequence[object], unset: frozenset[object]) -> Iterator[str | None]:
    """Read distinct cells, in their order."""
    raw = [cell for cell in cells if isinstance(cell, bytes) and cell not in unset]
    read = dict(zip(raw, zeek_header.as_texts(raw), strict=True)) if raw else {}
    alike = _ALIKE.get(name)
    for cell in cells:
        text = read.get(cell) if isinstance(cell, bytes) else cell if isinstance(cell, str) else None
        if text is None and isinstance(cell, int | float) and cell == cell:  # noqa: PLR0124 - NaN is no value
            text = str(cell)
        if not text:
            yield None
        else:
            text = text[:_LONGEST].encode("utf-8", "replace").decode()
            yield (alike(text) if alike is not None else text) or None


def _numbers(name: str, column: Sequence[object], rows: int) -> NDArray[Any]:
    kind = kind_of(name)
    if not column:
        return np.full(rows, np.nan, kind)
    if column[0].__class__ is bytes:
        try:
            cells = np.array(column, dtype="S32")
            cells[cells == b"-"] = b"nan"
            return cells.astype(np.float64).astype(kind)
        except (ValueError, TypeError):
            pass  # One of them is no number, or of another type.
    return np.fromiter(map(_number, column), kind, rows)


def _number(cell: object) -> float:
    try:
        return float(cell)  # type: ignore[arg-type] # what is no number is none
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def moments(times: Sequence[object]) -> NDArray[np.int64]:
    """Read times in microseconds; -1 for what is none."""
    kinds = set(map(type, times))
    if kinds == {float}:
        seconds = np.array(times, np.float64)
        if bool(np.all((seconds >= 0) & (seconds <= LAST_SECOND))):
            return np.rint(seconds * MICROSECONDS).astype(np.int64)
    if kinds == {str}:
        try:
            parsed = pd.to_datetime(pd.Index(times, dtype=object), utc=True, format="ISO8601")
        except (ValueError, OverflowError):
            pass
        else:
            return np.asarray(parsed.as_unit("us").asi8, np.int64)
    return np.fromiter(map(_moment, times), np.int64, len(times))


def _moment(time: object) -> int:
    try:
        return microseconds(time)
    except RecordError:
        return -1


def _put_right(columns: dict[str, Sequence[object]]) -> dict[str, Sequence[object]]:
    """Swap the ends of look-ups that were written by whoever answered, as Suricata does in some versions."""
    if not all(name in columns for name in _ENDS) or not any(cell in _DNS_CELLS for cell in columns["id.orig_p"]):
        return columns
    ends = zip(*(columns[name] for name in _ENDS), strict=True)
    right = [_right(*row) for row in ends]
    return columns | dict(zip(_ENDS, map(list, zip(*right, strict=True)), strict=True))


def _right(source: object, destination: object, source_port: object, port: object) -> tuple[object, ...]:
    if source_port in _DNS_CELLS and port not in _DNS_CELLS:
        return destination, source, port, source_port
    return source, destination, source_port, port


def joined(frames: Iterable[Any]) -> Any:
    """Put frames of one log together, whose categories may differ."""
    frames = list(frames)
    if len(frames) == 1:
        return frames[0]
    columns: dict[str, Any] = {}
    names = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    for name in names:
        is_number = name == "ts" or name in NUMBERS
        columns[name] = _numbers_of(name, frames) if is_number else _texts_of(name, frames)
    return pd.DataFrame(columns)


def _number_of(text: str, table: dict[str, int]) -> int:
    if len(table) >= MOST_TEXTS:
        return table.get(text, -1)
    return table.setdefault(text, len(table))


def _numbers_of(name: str, frames: Sequence[Any]) -> NDArray[Any]:
    return np.concatenate(
        [
            frame[name].to_numpy() if name in frame.columns else np.full(len(frame), np.nan, kind_of(name))
            for frame in frames
        ]
    )


def _texts_of(name: str, frames: Sequence[Any]) -> Any:
    table: dict[str, int] = {}
    codes = []
    for frame in frames:
        if name not in frame.columns:
            codes.append(np.fromiter(repeat(-1, len(frame)), np.int32, len(frame)))
            continue
        own = frame[name].cat
        numbers = [_number_of(text, table) for text in own.categories]
        codes.append(np.array([*numbers, -1], np.int32)[own.codes.to_numpy()])
    return pd.Categorical.from_codes(np.concatenate(codes), pd.Index(list(table), dtype=object))
