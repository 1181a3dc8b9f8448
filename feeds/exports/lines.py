"""Lists in Trailhound's own form: values, and all that is known of them in `# trailhound:` lines."""

import shlex
from collections.abc import Iterable, Iterator

from feeds.exports.export import Export, Piece, Wishes, iso
from trailhound.trail import LISTED_KINDS, Trail, TrailKind


def _write(trails: Iterable[Trail], wishes: Wishes) -> Iterator[Piece]:
    del wishes
    said: dict[str, str] = {}
    for trail in trails:
        says = _says(trail)
        # A name sets class and confidence anew, so they have to follow it.
        anew = said.get("info") != says["info"]
        changed = {key: text for key, text in says.items() if said.get(key) != text or anew}
        if changed:
            words = " ".join(f"{key}={shlex.quote(text)}" for key, text in changed.items())
            yield "", f"# trailhound: {words}\n"
        said = says
        yield "", f".{trail.value}\n" if trail.kind is TrailKind.TLD else f"{trail.value}\n"


def _says(trail: Trail) -> dict[str, str]:
    return {
        "info": trail.info,
        "class": trail.class_.value,
        "confidence": str(trail.confidence),
        "kind": trail.kind.value,
        "expires": iso(trail.expires) if trail.expires else "never",
        "reference": trail.reference,
    }


EXPORT = Export("lists in Trailhound's own form, with all that is known", frozenset(LISTED_KINDS), _write)
