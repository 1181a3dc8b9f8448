"""The tables of docs/feeds.md, made from the catalogue and the formats."""

from collections.abc import Iterable, Mapping

from feeds.feed import Feed
from feeds.formats.format import Format, Options
from feeds.formats.rows import Picks

_SPANS = ((604_800, "w"), (86_400, "d"), (3600, "h"), (60, "m"))


def feeds_table(feeds: Iterable[Feed]) -> str:
    """Give all feeds as a table in Markdown, in the order given."""
    rows = [
        "| Feed | On | Gives | Confidence | Lists that must agree | Every | Stays for | Format | Licence | Note |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {_linked(feed)} | {'yes' if feed.enabled else 'no'} | {_gives(feed)} | {feed.confidence} | {feed.agreement}"
        f" | {span(feed.interval)} | {span(feed.expires)} | {feed.format} | {_cell(feed.licence)}"
        f" | {_cell(feed.note)} |"
        for feed in feeds
    ]
    return "\n".join(rows) + "\n"


def formats_table(formats: Mapping[str, Format]) -> str:
    """Give all formats with their options as a table in Markdown."""
    rows = ["| Format | What it reads | Options |", "|---|---|---|"]
    for name, format_ in sorted(formats.items()):
        rows.append(f"| `{name}` | {_cell(format_.about)} | {', '.join(_options(format_)) or '-'} |")
    return "\n".join(rows) + "\n"


def _options(format_: Format) -> list[str]:
    """Give the options of a format; those of all formats that have columns go by one word."""
    has_columns = issubclass(format_.options, Picks)
    shared = Picks.__struct_encode_fields__ if has_columns else Options.__struct_encode_fields__
    own = [f"`{key}`" for key in format_.options.__struct_encode_fields__ if key not in shared]
    return ["columns", *own] if has_columns else own


def span(seconds: int) -> str:
    """Write seconds as the catalogue does: `12h`."""
    for size, letter in _SPANS:
        if seconds and seconds % size == 0:
            return f"{seconds // size}{letter}"
    return str(seconds)


def _linked(feed: Feed) -> str:
    return f"[{feed.name}]({feed.reference})" if feed.reference else feed.name


def _gives(feed: Feed) -> str:
    class_ = feed.class_.value if feed.class_ is not None else "as it says"
    return f"{class_}: {_cell(feed.info)}" if feed.info != feed.name else class_


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
