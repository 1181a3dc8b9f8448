"""Columns with a separator (comma, tab, bar, blanks), which go by the name in the header or by number."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence

from feeds import streams
from feeds.archives import Document
from feeds.entry import MAX_LINE, Entry, Origin, overlong
from feeds.formats.format import Format
from feeds.formats.rows import Picks, Row, read_row
from trailhound.errors import SourceError


class CsvOptions(Picks, frozen=True, kw_only=True):
    """`delimiter` is one character; "blank" stands for any run of blanks and tabs. `comment` begins lines without data.

    `names` are those of the columns, for a list without header. A header, also one behind the comment sign, is told by
    its names.
    """

    delimiter: str = ","
    comment: str = "#"
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.delimiter != BLANK and len(self.delimiter) != 1:
            raise ValueError(f'delimiter = {self.delimiter!r}; expected one character or "blank"')


BLANK = "blank"


def read(documents: Iterable[Document], origin: Origin, options: CsvOptions) -> Iterator[Entry]:
    for document in documents:
        yield from _document(document, origin, options)


def _document(document: Document, origin: Origin, options: CsvOptions) -> Iterator[Entry]:
    wanted = [name for name in options.columns() if not name.isdigit()]
    columns: Mapping[str, int] | None = {name: at for at, name in enumerate(options.names)}
    if not set(wanted) <= set(options.names):
        columns = None
    for number, line in enumerate(streams.lines(document.stream), 1):
        text = line.strip(" \r\n")
        is_comment = bool(options.comment) and text.startswith(options.comment)
        if len(text) > MAX_LINE:
            yield overlong(origin, number, text)
        elif not text.strip():
            continue
        elif columns is None:
            columns = _header(text.removeprefix(options.comment) if is_comment else text, wanted, options.delimiter)
            if columns is None and not is_comment:
                break
        elif not is_comment:
            cells = _cells(text, options.delimiter)
            # The header once more, as where lists are joined, says nothing.
            if not wanted or _at(cells, columns, wanted[0]) != wanted[0]:
                yield from read_row(_row(cells, columns), options, origin, number)
    if columns is None:
        raise SourceError(f"{document.place}: no header with the columns {', '.join(wanted)}")


def _header(text: str, wanted: Sequence[str], delimiter: str) -> Mapping[str, int] | None:
    """Give where each column stands, or None when this line does not name all that are wanted."""
    names = {name.strip(): at for at, name in reversed(list(enumerate(_cells(text.strip(" "), delimiter))))}
    return names if names.keys() >= set(wanted) else None


def _cells(text: str, delimiter: str) -> list[str]:
    if delimiter == BLANK:
        return text.split()
    if '"' not in text:
        return [cell.strip() for cell in text.split(delimiter)]
    # One line at a time: a quote that is never closed must not swallow the rest of the list.
    return next(csv.reader((text,), delimiter=delimiter, skipinitialspace=True), [])


def _at(cells: Sequence[str], columns: Mapping[str, int], name: str) -> str:
    at = columns.get(name)
    if at is None:
        at = int(name) - 1 if name.isdigit() else len(cells)
    return cells[at].strip() if 0 <= at < len(cells) else ""


def _row(cells: Sequence[str], columns: Mapping[str, int]) -> Row:
    def row(name: str) -> tuple[str, ...]:
        text = _at(cells, columns, name)
        return (text,) if text else ()

    return row


FORMAT = Format(read, "columns with a separator, by name or number", CsvOptions)
