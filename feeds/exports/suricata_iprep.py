"""Suricata's reputation of addresses and networks: a category a class, confidence as the score, and the rules."""

from collections.abc import Iterable, Iterator

from feeds.exports.export import Export, Piece, Wishes
from feeds.exports.suricata_rules import Sids, rule
from trailhound.trail import Trail, TrailClass, TrailKind

CATEGORIES, REPUTATION, RULES = "categories.txt", "reputation.list", "trailhound-iprep.rules"
_CLASSES = tuple(TrailClass)


def _write(trails: Iterable[Trail], wishes: Wishes) -> Iterator[Piece]:
    for number, class_ in enumerate(_CLASSES, 1):
        yield CATEGORIES, f"{number},{_short(class_)},Trailhound {class_.value}\n"
    used = set()
    for trail in trails:
        used.add(trail.class_)
        # Zero is "no reputation" for Suricata.
        yield REPUTATION, f"{trail.value},{_CLASSES.index(trail.class_) + 1},{max(trail.confidence, 1)}\n"
    sids = Sids(*wishes.sids)
    for class_ in _CLASSES:
        for side in ("src", "dst") if class_ in used else ():
            about = f"Trailhound: {class_.value} address on a list ({side})"
            sid = sids.take(f"iprep {class_.value} {side}")
            yield RULES, rule("ip any any -> any any", f"iprep:{side},{_short(class_)},>,0;", about, class_, sid)


def _short(class_: TrailClass) -> str:
    return f"th-{class_.value}"


EXPORT = Export(
    "Suricata's reputation of addresses, with the rules that ask for it",
    frozenset({TrailKind.IPV4, TrailKind.IPV6, TrailKind.CIDR}),
    _write,
    folder=True,
)
