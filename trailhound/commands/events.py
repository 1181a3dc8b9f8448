"""`events`: find events from the command line, as the console does, here or on another host."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from api.moments import MOMENT_FORM, moment, wall_clock
from stores.contract import EventOrder
from stores.search.parse import parse
from trailhound.commands.events_found import Found, Wish, elsewhere, here
from trailhound.commands.events_shown import Form, Shown
from trailhound.commands.options import ConfigOption, StateOption, StoreOption, settings_of
from trailhound.errors import SearchError, SettingsError
from trailhound.settings import Settings

AT_FIRST = 100  # Events in a table, unless more are asked for.
FOLLOWED = "10m"
LOOK_SECONDS = 1.0
SearchArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SEARCH]...", help="A search as in the console; several words have to hold together."),
]
SinceOption = Annotated[str | None, typer.Option("--since", metavar="WHEN", help=f"From then on: {MOMENT_FORM}.")]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="WHEN", help="Before then, in the same forms.")]
SortOption = Annotated[
    EventOrder, typer.Option("--sort", help="What comes first; `ingested` is the order in which they arrived.")
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", "-n", min=1, help=f"How many at most. Else {AT_FIRST} in a table, and all.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write ECS documents, one a line.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Write CSV, with a line of headings.")]
FollowOption = Annotated[
    bool,
    typer.Option(
        "--follow", "-f", help=f"Go on with what arrives, until stopped; begins {FOLLOWED} ago without --since."
    ),
]
ServerOption = Annotated[
    str | None,
    typer.Option("--server", metavar="URL", help="Ask this Trailhound, and not the store of the settings."),
]
KeyOption = Annotated[
    str,
    typer.Option(
        "--key",
        metavar="NAME",
        help="Name of the secret that is a key for --server: an environment variable, or a file in `secrets` of the"
        " state directory.",
    ),
]
CaOption = Annotated[
    Path | None, typer.Option("--ca-file", metavar="FILE", help="Certificates (PEM) to trust for --server.")
]


def events(
    search: SearchArgument = None,
    since: SinceOption = None,
    until: UntilOption = None,
    sort: SortOption = EventOrder.NEWEST,
    limit: LimitOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    follow: FollowOption = False,
    store: StoreOption = None,
    server: ServerOption = None,
    key: KeyOption = "",
    ca_file: CaOption = None,
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Show events: a table for people, JSON or CSV for machines. Exit status: 0, 2 for trouble.

    It reads the store beside a running `trailhound run`. A search that begins with a hyphen comes after `--`.

    Examples:

      trailhound events

      trailhound events --since 24h 'sev:>=high (src:10.0.0.0/8 OR class:c2)'

      trailhound events --since 7d --csv -- -class:scanner > week.csv

      trailhound events --follow sev:critical

      trailhound events --server https://trailhound.example:8338 --key SOC_KEY --json trail:evil.example
    """
    form = _form(as_json=as_json, as_csv=as_csv)
    wish = _wish(" ".join(search or ()), since, until, sort, follow=follow)
    settings = settings_of(config, state, store={"kind": store})
    with ExitStack() as open_:
        found = _found(open_, settings, wish, server, key, ca_file)
        shown = Shown(form, together=not follow)
        _show(found, shown, limit or (AT_FIRST if form is Form.TABLE and not follow else None), follow=follow)


def _show(found: Found, shown: Shown, limit: int | None, *, follow: bool) -> None:
    """Write what is there, page by page; with `follow` go on until stopped or the limit is reached."""
    left = limit
    while left is None or left > 0:
        page = found.page(left)
        shown.write(page)
        left = None if left is None else left - len(page)
        if not page or found.is_done:
            if not follow:
                break
            shown.flush()
            time.sleep(LOOK_SECONDS)
    shown.end(is_more=left == 0 and not found.is_done)


def _form(*, as_json: bool, as_csv: bool) -> Form:
    if as_json and as_csv:
        raise SettingsError("--json and --csv: one of them was expected")
    return Form.JSON if as_json else Form.CSV if as_csv else Form.TABLE


def _wish(search: str, since: str | None, until: str | None, sort: EventOrder, *, follow: bool) -> Wish:
    try:
        parse(search)
    except SearchError as error:
        raise SettingsError(f"{search!r}: {error}") from error
    if follow and (until is not None or sort is not EventOrder.NEWEST):
        raise SettingsError("--follow gives events as they arrive, so neither --until nor --sort were expected")
    now = wall_clock()
    begin, end = _moment("--since", since or (FOLLOWED if follow else None), now), _moment("--until", until, now)
    if begin is not None and end is not None and begin >= end:
        raise SettingsError(f"--since: {since} is not before --until ({until})")
    return Wish(search, begin, end, EventOrder.INGESTED if follow else sort)


def _moment(option: str, text: str | None, now: int) -> int | None:
    try:
        return None if text is None else moment(text, now)
    except ValueError as error:
        raise SettingsError(f"{option}: {error}") from error


def _found(
    open_: ExitStack, settings: Settings, wish: Wish, server: str | None, key: str, ca_file: Path | None
) -> Found:
    if server is None and (key or ca_file is not None):
        raise SettingsError("--key and --ca-file are for --server, which was expected too")
    if server is None:
        return open_.enter_context(here(settings, wish))
    return open_.enter_context(elsewhere(settings, wish, server, key, ca_file))
