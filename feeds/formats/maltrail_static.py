"""One file of Maltrail's static tree: a value a line, `# Reference: URL` above, what the file is called as the threat.

A bare host with a scheme is meant for HTTP only (`host/`); a leading dot makes a top-level domain.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from feeds.classes import CATEGORIES, rate, threat_name
from feeds.entry import MAX_LINE, Entry, Origin, overlong, refused, tidy_reference
from feeds.formats import values
from feeds.formats.comments import References
from feeds.hygiene import refusal
from trailhound.errors import TrailError
from trailhound.trail import Trail

SOURCE = "maltrail"


def read(lines: Iterable[str], origin: Origin) -> Iterator[Entry]:
    """Read a file whose `Origin.info` is the name of the threat and `Origin.category` the folder."""
    rating = rate(f"{origin.info} ({origin.category})" if origin.category else origin.info)
    info = threat_name(origin.info)
    class_ = origin.class_ or rating.class_
    confidence = rating.confidence if origin.confidence is None else origin.confidence
    sources = (origin.source,)
    references = References()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text[:1] == "#":
            references.comment(text)
            continue
        references.no_comment()
        if not text:
            continue
        if len(text) > MAX_LINE:
            yield overlong(origin, number, text)
            continue
        comment = ""
        if "#" in text:
            text, _, comment = text.partition("#")
            text = text.rstrip()
        try:
            kind, value = values.maltrail(text.lower())
        except TrailError as error:
            yield refused(origin, number, text, str(error))
            continue
        reference = references.current or tidy_reference(comment)
        trail = Trail(kind, value, info, class_, sources, reference, confidence, custom=origin.custom)
        reason = refusal(trail)
        yield trail if reason is None else refused(origin, number, text, reason)


def looks_like(head: Sequence[str], path: str) -> bool:
    place = PurePosixPath(path)
    if place.suffix == ".txt" and place.parent.name in CATEGORIES:
        return True
    return any("Maltrail developers" in line for line in head[:5])
