"""What keeps what others detect from becoming an event: exceptions, the whitelist, what settings ask of trails."""

from matchers.rules import Meeting, Rules, Verdict
from matchers.whitelist import Whitelist
from trailhound import canonical
from trailhound.record import Record
from trailhound.trail import Trail, TrailKind

_NAMES = frozenset({TrailKind.DOMAIN, TrailKind.TLD})


def counts(rules: Rules, meeting: Meeting, record: Record, source: str | None) -> bool:
    """Tell whether a detection becomes an event. `source` is the canonical source address of the record."""
    trail = meeting.trail
    if rules.judged(Verdict(b"", trail, meeting.observed), source, record.time).hidden:
        return False
    if trail.kind is TrailKind.RULE:
        return not any(_is_ours(rules.whitelist, end) for end in (source, canonical.address(record.destination or "")))
    return not _is_listed(rules.whitelist, trail)


def _is_ours(whitelist: Whitelist, address: str | None) -> bool:
    """Tell whether the site itself has put an address on a whitelist.

    What comes with Trailhound does not count here: it would hide every signature that fires on a question to a public
    resolver.
    """
    entry = whitelist.address(address) if address is not None else None
    return entry is not None and not entry.built_in


def _is_listed(whitelist: Whitelist, trail: Trail) -> bool:
    """Tell whether the whitelist hides an indicator, as it would hide a trail with this value."""
    host = canonical.host_port(trail.value.partition("/")[0])[0]
    if canonical.address(host):
        return whitelist.address(host) is not None
    if trail.kind in (*_NAMES, TrailKind.URL, TrailKind.HTTP_HOST):
        entry = whitelist.name(host)
        covers = entry is not None and trail.kind is not TrailKind.URL and len(entry.value) >= len(host)
        return entry is not None and (entry.below or covers)
    return False
