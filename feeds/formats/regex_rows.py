"""Whatever else has a text: a pattern with named groups finds the values in it (pages, configurations, `.htaccess`)."""

from collections.abc import Iterable, Iterator

from feeds import streams
from feeds.archives import Document
from feeds.entry import MAX_LINE, Entry, Origin, refused
from feeds.formats.format import Format
from feeds.formats.rows import Picks, compiled, from_mapping, read_row
from trailhound.errors import SourceError


class RegexOptions(Picks, frozen=True, kw_only=True):
    """`pattern` is in RE2's syntax; its named groups are the columns, `value` the one that holds the value."""

    pattern: str

    def __post_init__(self) -> None:
        super().__post_init__()
        missing = set(self.columns()) - set(compiled(self.pattern).groupindex)
        if missing:
            raise ValueError(f"pattern has no group (?P<{min(missing)}>...), which the options speak of")


def read(documents: Iterable[Document], origin: Origin, options: RegexOptions) -> Iterator[Entry]:
    pattern = compiled(options.pattern)
    for document in documents:
        text = streams.whole(document).decode("utf-8", "replace")
        number = 0
        for number, match in enumerate(pattern.finditer(text), 1):
            if match.end() - match.start() > MAX_LINE:
                yield refused(origin, number, match[0], f"more than {MAX_LINE} characters")
            else:
                yield from read_row(from_mapping(match.groupdict()), options, origin, number)
        if not number and text.strip():
            raise SourceError(f"{document.place}: the pattern of this feed is nowhere in it")


FORMAT = Format(read, "any text, by a pattern with named groups", RegexOptions)
