"""Looked-up values with what this host knows besides: where an address is, and whether a value was ever in traffic."""

from collections.abc import Mapping, Sequence

import structlog

from api.answers_lookup import LookedUpValue
from api.answers_observables import ObservableAnswer
from api.countries import Countries
from api.observing import observables
from stores.observables import ObservableMemory
from trailhound.errors import StoreError
from trailhound.trail import TrailKind

_ADDRESSES = (TrailKind.IPV4, TrailKind.IPV6)
_log = structlog.get_logger("observables")


def enriched(
    results: Sequence[LookedUpValue], memory: ObservableMemory | None, countries: Countries
) -> tuple[LookedUpValue, ...]:
    """Add countries, and what the memory holds where there is one; a memory that does not answer is passed over."""
    observed = _observed(results, memory) if memory is not None else {}
    return tuple(
        one.model_copy(update={"country": _country(one, countries), "observed": observed.get(one.value)})
        for one in results
    )


def _country(one: LookedUpValue, countries: Countries) -> str | None:
    return countries.first(reading.canonical for reading in one.readings if reading.kind in _ADDRESSES)


def _observed(results: Sequence[LookedUpValue], memory: ObservableMemory) -> Mapping[str, ObservableAnswer]:
    values = list(dict.fromkeys(one.value for one in results))
    try:
        found = observables(memory, values)
    except StoreError as error:
        _log.warning("observables cannot be asked for", reason=str(error))
        return {}
    return {value: one for value, one in zip(values, found, strict=True) if one.kind is not None}
