"""Answers with the country of what they are about."""

from collections.abc import Sequence

from api.answers import ThreatAnswer
from api.countries import Countries


def located(threats: Sequence[ThreatAnswer], countries: Countries) -> tuple[ThreatAnswer, ...]:
    """Add to threats the country of their outside end: of the source, or else of the first destination that has one."""
    if not countries.is_set:
        return tuple(threats)
    return tuple(
        one.model_copy(update={"country": countries.first((one.source, *one.destinations))}) for one in threats
    )
