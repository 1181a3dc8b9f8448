"""Countries: where the outside ends of events are."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.access.caller import caller_of
from api.access.guarding import needs
from api.access.principal import Scope
from api.answers_countries import CountriesAnswer, CountryAnswer
from api.by_country import CountryCount, CountryCounts
from api.deps import CountriesDep, QueryDep, StoreDep
from api.translate import period, severity_word
from trailhound.event import timestamp

router = APIRouter(tags=["sources"], dependencies=[needs(Scope.READ)])


@router.get("/countries", operation_id="listCountries", summary="Countries with the most records")
def list_countries(
    request: Request,
    store: StoreDep,
    query: QueryDep,
    countries: CountriesDep,
    limit: Annotated[int, Query(ge=1, le=250, description="How many at most.")] = 20,
) -> CountriesAnswer:
    """Count events by the country that they came from, or that those of inner hosts went to.

    Empty on a host without a database of countries.
    """
    if not countries.is_set:
        return CountriesAnswer(
            period=period(query), countries=(), total=0, left_out=0, enabled=False, problem=countries.problem
        )
    counts: CountryCounts = request.app.state.by_country
    who = caller_of(request.scope).principal
    sight = None if who is None else replace(who, name="")
    found = counts.count(store, query, limit, sight)
    return CountriesAnswer(
        period=period(found.query),
        countries=tuple(_country(one) for one in found.countries),
        total=found.total,
        left_out=found.left_out,
        enabled=True,
        problem=countries.problem,
    )


def _country(one: CountryCount) -> CountryAnswer:
    return CountryAnswer(
        country=one.country,
        records=one.records,
        events=one.events,
        threats=one.threats,
        sources=one.sources,
        addresses=one.addresses,
        severity=severity_word(one.severity),
        first=timestamp(one.first),
        last=timestamp(one.last),
    )
