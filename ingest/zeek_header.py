"""The header of a Zeek TSV log, and the typed reading of its rows."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from trailhound.errors import RecordError
from trailhound.record import LARGEST, Scalar, Value

_ESCAPE = re.compile(rb"\\x([0-9a-fA-F]{2})")
_CONTAINER = re.compile(r"(?:set|vector|list|table)\[(.+)\]")
_INTEGERS = frozenset({"count", "int", "port", "counter"})
_DOUBLES = frozenset({"double", "time", "interval"})


def unescape(cell: bytes) -> bytes:
    r"""Undo Zeek's `\xNN`."""
    return _ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), cell)


def as_text(cell: bytes) -> str:
    r"""Read a cell as text; bytes that are no UTF-8 stay visible as `\xNN`."""
    return (unescape(cell) if b"\\x" in cell else cell).decode("utf-8", "backslashreplace")


def as_texts(cells: Sequence[bytes]) -> Sequence[str]:
    """Read many cells, mostly at once."""
    joined = b"\n".join(cells)
    if b"\\" in joined or not joined.isascii() or not cells:
        return list(map(as_text, cells))
    return joined.decode("ascii").split("\n")


def _boolean(cell: bytes) -> bool:
    if cell not in (b"T", b"F"):
        raise ValueError(f"{cell!r} is no bool")
    return cell == b"T"


def _integer(cell: bytes) -> int:
    number = int(cell)
    if abs(number) > LARGEST:
        raise ValueError(f"{number} is beyond 63 bits")
    return number


def _scalar(type_: str) -> Callable[[bytes], Scalar]:
    if type_ in _INTEGERS:
        return _integer
    if type_ in _DOUBLES:
        return float
    return _boolean if type_ == "bool" else as_text


@dataclass(frozen=True)
class Header:
    """What the `#` lines of a log say. Compares by content; `lines` are the lines themselves."""

    lines: tuple[bytes, ...]
    separator: bytes = b"\t"
    set_separator: bytes = b","
    empty: bytes = b"(empty)"
    unset: bytes = b"-"
    path: str = ""
    fields: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    columns: Mapping[str, int] = field(default_factory=dict, compare=False)

    @cached_property
    def converters(self) -> Sequence[tuple[str, bool, Callable[[bytes], Scalar]]]:
        """Give name, whether it is a set or vector, and the reader of one member, for each field."""
        found = []
        for index, name in enumerate(self.fields):
            type_ = self.types[index] if index < len(self.types) else _UNTYPED.get(name, "string")
            container = _CONTAINER.fullmatch(type_)
            found.append((name, container is not None, _scalar(container[1] if container else type_)))
        return found

    def is_set(self, name: str) -> bool:
        """Tell whether a cell of this column holds several values."""
        return self.converters[self.columns[name]][1]

    def typed(self, line: bytes) -> dict[str, Value]:
        """Read a row; what is unset is left out. Raises `RecordError` when a value is not of its type."""
        cells = line.split(self.separator)
        if len(cells) != len(self.fields):
            raise RecordError(f"{len(self.fields)} columns expected by the header, {len(cells)} found")
        values: dict[str, Value] = {}
        for (name, is_container, convert), cell in zip(self.converters, cells, strict=True):
            if cell == self.unset:
                continue
            try:
                values[name] = self._members(cell, convert) if is_container else self._single(cell, convert)
            except ValueError as error:
                raise RecordError(f"column {name}: {as_text(cell)[:80]!r} is not of its type") from error
        return values

    def _members(self, cell: bytes, convert: Callable[[bytes], Scalar]) -> list[Scalar]:
        if cell == self.empty:
            return []
        return [convert(member) for member in cell.split(self.set_separator) if member != self.unset]

    def _single(self, cell: bytes, convert: Callable[[bytes], Scalar]) -> Scalar:
        return "" if cell == self.empty and convert is as_text else convert(cell)


_WORDS = (b"separator", b"set_separator", b"empty_field", b"unset_field", b"path", b"fields", b"types")
# Types of the columns that are needed as numbers, for logs whose header has no `#types`.
_UNTYPED = {
    "ts": "time",
    "id.orig_p": "port",
    "id.resp_p": "port",
    "answers": "vector[string]",
    "status_code": "count",
    "resp_pkts": "count",
    "trans_id": "count",
    "local_orig": "bool",
    "local_resp": "bool",
    "proxied": "set[string]",
    "cert_chain_fps": "vector[string]",
    "san.dns": "vector[string]",
}


def header_word(line: bytes) -> bytes:
    """Give the word after `#` of a header line, empty when it says nothing of the columns."""
    word = next((word for word in _WORDS if line.startswith(word, 1)), b"")
    return word if not line[1 + len(word) : 2 + len(word)].isalnum() else b""


def read_header(lines: Sequence[bytes]) -> Header:
    """Read the `#` lines of a log. Raises `RecordError` when they name no columns or no separator."""
    said: dict[str, bytes] = {}
    separator = b"\t"
    for line in lines:
        name, found, rest = line[1:].partition(b" ")
        if name == b"separator" and found:
            separator = unescape(rest)
    if not separator or b"\n" in separator:
        raise RecordError("the header has an empty #separator, or one that ends lines")
    for line in lines:
        name, found, rest = line[1:].partition(separator)
        if found:
            said[name.decode("ascii", "replace")] = rest
    names = said.get("fields", b"").split(separator) if said.get("fields") else []
    if not names:
        raise RecordError("the header has no #fields line")
    fields = tuple(as_text(name) for name in names)
    types = said.get("types")
    return Header(
        lines=tuple(lines),
        separator=separator,
        set_separator=unescape(said.get("set_separator", b"")) or b",",
        empty=unescape(said.get("empty_field", b"(empty)")),
        unset=unescape(said.get("unset_field", b"-")),
        path=as_text(said.get("path", b"")),
        fields=fields,
        types=tuple(as_text(type_) for type_ in types.split(separator)) if types else (),
        columns={name: index for index, name in enumerate(fields)},
    )
