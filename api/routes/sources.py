"""Sources: the addresses that records came from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query

from api.access.guarding import needs
from api.access.principal import Scope
from api.answers import SourceAnswer, SourcesAnswer
from api.deps import CountriesDep, QueryDep, StoreDep
from api.translate import severity_word
from stores import contract
from stores.contract import Dimension

router = APIRouter(tags=["sources"], dependencies=[needs(Scope.READ)])
PROTOCOLS = 8
OTHER = "other"


@router.get("/sources", operation_id="listSources", summary="Sources with the most records")
def list_sources(
    store: StoreDep,
    query: QueryDep,
    countries: CountriesDep,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 10,
) -> SourcesAnswer:
    """Give the sources with the most records, with their highest severity, by protocol."""
    found = store.top(query, Dimension.SOURCE, limit=limit)
    total = store.distinct(query, Dimension.SOURCE)
    protocols = _protocols(store, query, found)
    return SourcesAnswer(
        sources=tuple(
            SourceAnswer(
                source=one.value,
                count=one.count,
                severity=severity_word(one.severity),
                protocols=protocols[one.value],
                country=countries.of(one.value),
            )
            for one in found
        ),
        total=total.count,
        approximate=total.is_approximate,
    )


def _protocols(
    store: contract.Store, query: contract.Query, found: Sequence[contract.Top]
) -> Mapping[str, Mapping[str, int]]:
    """Count by source and protocol with one question for each of the commonest protocols."""
    counts: dict[str, dict[str, int]] = {one.value: {} for one in found}
    if not found:
        return counts
    among = replace(query, sources=tuple(counts))
    for protocol in store.top(among, Dimension.PROTOCOL, limit=PROTOCOLS):
        narrowed = replace(among, protocols=(protocol.value,))
        for one in store.top(narrowed, Dimension.SOURCE, limit=len(found)):
            counts[one.value][protocol.value] = one.count
    for one in found:
        if (rest := one.count - sum(counts[one.value].values())) > 0:
            counts[one.value][OTHER] = rest
    return counts
