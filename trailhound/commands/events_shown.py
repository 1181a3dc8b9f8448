"""How `trailhound events` shows them."""

import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.export import CSV_HEADINGS, csv_rows, ndjson
from trailhound.commands.screen import visible

_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": ""}
_HEADINGS = ("time", "severity", "source", "destination", "trail", "info", "class", "sensor", "count")
_SECONDS = len("2026-02-01T12:00:00")


class Form(Enum):
    """What is written."""

    TABLE = "table"
    JSON = "ndjson"
    CSV = "csv"


class Shown:
    """Writes events to standard output. `together`: people get one table at the end, not a line each at once."""

    def __init__(self, form: Form, *, together: bool) -> None:
        self._form = form
        self._together = together
        self._count = 0
        self._console = Console()
        self._table = Table(*_HEADINGS, box=None, pad_edge=False)
        if form is Form.CSV:
            _out(CSV_HEADINGS)

    def write(self, documents: Sequence[Mapping[str, Any]]) -> None:
        self._count += len(documents)
        if self._form is Form.JSON:
            _out(ndjson(documents))
        elif self._form is Form.CSV:
            _out(csv_rows(documents))
        elif self._together:
            for document in documents:
                cells = _cells(document)
                style = _STYLES.get(cells[1], "")
                self._table.add_row(*(Text(cell, overflow="fold") for cell in cells), style=style)
        else:
            for document in documents:
                cells = _cells(document)
                self._console.print(Text("  ".join(cells), style=_STYLES.get(cells[1], "")), soft_wrap=True)

    def flush(self) -> None:
        sys.stdout.flush()

    def end(self, *, is_more: bool) -> None:
        if self._form is not Form.TABLE or not self._together:
            self.flush()
        elif not self._count:
            typer.echo("there are no such events", err=True)
        else:
            self._console.print(self._table)
            if is_more:
                typer.echo(f"{self._count:,} events are shown, and there may be more: --limit asks for them", err=True)


def _out(written: bytes) -> None:
    # What is written is not for a terminal: a log may hold what is no text.
    sys.stdout.buffer.write(written)


def _cells(document: Mapping[str, Any]) -> list[str]:
    own = document.get("trailhound", {})
    cells = (
        str(document.get("@timestamp", ""))[:_SECONDS],
        own.get("severity", ""),
        _end(document.get("source", {})),
        _end(document.get("destination", {})),
        own.get("trail", ""),
        own.get("info", ""),
        own.get("class", ""),
        document.get("observer", {}).get("name", ""),
        own.get("count", ""),
    )
    return [visible(str(cell)) for cell in cells]


def _end(end: Mapping[str, Any]) -> str:
    address, port = end.get("address") or end.get("ip") or "", end.get("port")
    if port is None:
        return str(address)
    return f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"
