"""What a threat is called: the same in every event and in every store."""

from hashlib import blake2b

from trailhound.trail import TrailKind


def threat_id(source: str | None, kind: TrailKind, trail: str) -> str:
    """Name a threat by its source and trail: 16 hexadecimal digits."""
    facts = f"{source or ''}\x1f{kind}\x1f{trail}"
    return blake2b(facts.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
