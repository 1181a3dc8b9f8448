"""A live instance of MISP: attributes as its search gives them, in the events that they belong to."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec

from feeds.archives import Document
from feeds.entry import Entry, Origin
from feeds.formats import misp, moments
from feeds.formats.format import Format, Options
from feeds.formats.misp_says import MispOptions
from trailhound.errors import TrailError


class MispApiOptions(Options, frozen=True, kw_only=True):
    """What the instance is asked for.

    `to_ids` asks only for attributes meant for detection, `published` only for those of published events. `types` are
    the types of attributes, all that can be a trail if none. `tags` are those of which event or attribute has one,
    `without_tags` those that neither has. `since` asks for events of that day (2024-01-31) or later, `days` for what
    was changed in so many days, 0 for all. `page` is how many attributes come at once.
    """

    to_ids: bool = True
    published: bool = True
    types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    since: str = ""
    days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 0
    page: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 5000

    def __post_init__(self) -> None:
        try:
            moments.seconds(self.since)
        except TrailError as error:
            raise ValueError(f"since = {self.since!r}; expected a day such as 2024-01-31") from error


def _read(documents: Iterable[Document], origin: Origin, options: MispApiOptions) -> Iterator[Entry]:
    # Tags and times have been asked for; of an attribute that was asked for by its own tag, the event may not have it.
    return misp.read(documents, origin, MispOptions(to_ids=options.to_ids, types=options.types))


FORMAT = Format(_read, "a live instance of MISP, through PyMISP", MispApiOptions, suffixes=frozenset({".json"}))
