"""A record: one log line of Zeek or one EVE event, typed.

Both are spoken of in Zeek's words: a field of a record has the name that Zeek's log of the same kind gives it (`query`,
`server_name`, `id.orig_h`), whichever tool wrote the line, so that one observer serves all formats.
"""

from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

Scalar = str | int | float | bool
Value = Scalar | list[Scalar]
MICROSECONDS = 1_000_000
# What stores and JSON can hold; a log may claim more.
LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Record:
    """One log line.

    `log` is Zeek's name of the log ("dns", "ssl"), `module` is "zeek" or "suricata", `dataset` ECS `event.dataset`
    ("suricata.tls"). `time` is the record's own, in microseconds since the epoch. `fields` holds Zeek's fields by name;
    a field that the line leaves unset is absent. `identity` tells this line from every other of the sensor.
    """

    log: str
    module: str
    dataset: str
    time: int
    identity: str
    fields: Mapping[str, Value]

    def text(self, name: str) -> str | None:
        """Give a field as text, or None when it is unset or of another type."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int | None:
        """Give a field as a whole number, or None when it is unset, of another type or beyond 63 bits."""
        value = self.fields.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST else None

    def texts(self, name: str) -> Sequence[str]:
        """Give the members of a set or vector field that are text; none when it is unset."""
        value = self.fields.get(name)
        if isinstance(value, str):
            return (value,)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else ()

    @property
    def source(self) -> str | None:
        return self.text("id.orig_h")

    @property
    def destination(self) -> str | None:
        return self.text("id.resp_h")


class Batch(Protocol):
    """Rows of one log, cut only as far as needed.

    `column` gives one cell a row, raw and hashable, as the format has it; None instead of a column means that this log
    does not have it. `texts` reads raw cells of a column, and gives beside each text the cell it is from: no texts of a
    cell that is unset, several of one that is a set. `dialect` tells apart columns in which equal raw cells could mean
    different texts. `record` reads one row whole and raises `RecordError` when it cannot; `time` gives
    the time that its record has, `times` those of all rows as the log writes them (see `ingest.moments`). `module` is
    that of its records.
    """

    log: str
    module: str

    def __len__(self) -> int: ...

    def column(self, name: str) -> Sequence[Hashable] | None: ...

    def dialect(self, name: str) -> Hashable: ...

    def texts(self, name: str, cells: AbstractSet[Hashable]) -> tuple[Sequence[str], Sequence[Hashable]]: ...

    def record(self, row: int) -> Record: ...

    def time(self, row: int) -> int: ...

    def times(self) -> Sequence[object]: ...
