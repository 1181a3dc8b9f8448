"""What the site wants of its feeds: how many have to agree, what is kept out, how much a feed may shrink."""

import hashlib
from dataclasses import dataclass, field

import msgspec

from feeds import exclusion
from feeds.agreement import Needs
from feeds.exclusion import Exclusion, Range
from feeds.warninglists import WarningList


@dataclass(frozen=True, slots=True)
class Policy:
    """`home` are the site's own networks, `resolvers` those its hosts ask; feeds bring no trail for either.

    With `delivery` they bring none for networks of content delivery. `min_ratio` is the least share of its trails that
    a feed must still have to be taken up.
    """

    home: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()
    delivery: bool = True
    min_ratio: float = 0.5
    needs: Needs = field(default_factory=Needs)

    def exclusion(self, lists: tuple[WarningList, ...] = ()) -> Exclusion:
        ranges: list[Range] = exclusion.site(self.home, self.resolvers)
        if self.delivery:
            ranges += exclusion.delivery()
        return Exclusion(ranges, lists)

    @property
    def stamp(self) -> str:
        """Sum up what a merge depends on; the same for the same set."""
        said = (
            self.home,
            self.resolvers,
            self.delivery,
            sorted(self.needs.of_feeds.items()),
            sorted(self.needs.of_classes.items()),
        )
        return hashlib.sha256(msgspec.json.encode(said)).hexdigest()
