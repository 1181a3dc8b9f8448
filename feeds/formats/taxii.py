"""A collection of TAXII 2.1: pages of STIX objects."""

from typing import Annotated

import msgspec

from feeds.formats import stix
from feeds.formats.format import Format, Options


class TaxiiOptions(Options, frozen=True, kw_only=True):
    """`days` is how many days back objects may have been added, 0 for all of them. `page` is how many come at once."""

    days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 0
    page: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1000


FORMAT = Format(stix.read, "a collection of TAXII 2.1, from its server", TaxiiOptions, suffixes=frozenset({".json"}))
