"""Look-ups: what is known of a value."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.access.guarding import by_network, needs
from api.access.principal import Scope
from api.answers_lookup import Checkable, LookupAnswer, LookupRequest, MaltrailCheckAnswer
from api.deps import CountriesDep, StoreDep, TrailsDep, refuse_unknown
from api.enriched import enriched
from api.looking import look_up
from api.problems import parameter_error
from api.routes.observables import OwnMemoryDep

router = APIRouter(tags=["trails"], dependencies=[needs(Scope.READ)])
# The order matters: a foreign client is told that there is no page before its parameters are looked at.
classic = APIRouter(tags=["trails"], dependencies=[by_network(Scope.READ), Depends(refuse_unknown)])
MAX_QUERY = 256


@router.get("/lookup", operation_id="lookUp", summary="What is known of one value")
def look_up_one(
    store: StoreDep,
    trails: TrailsDep,
    memory: OwnMemoryDep,
    countries: CountriesDep,
    value: Annotated[
        Checkable,
        Query(
            description="Domain, address, network, address:port, URL, path, hash, user agent or e-mail.",
            openapi_examples={"domain": {"value": "www.evil.example"}, "address": {"value": "192.0.2.1"}},
        ),
    ],
) -> LookupAnswer:
    """Explain a value as if it had stood in a log, and tell what events know of it."""
    return LookupAnswer(results=enriched(look_up(store, trails, [value]), memory, countries))


@router.post("/lookup", operation_id="lookUpMany", summary="What is known of up to 1,000 values")
def look_up_many(
    store: StoreDep, trails: TrailsDep, memory: OwnMemoryDep, countries: CountriesDep, body: LookupRequest
) -> LookupAnswer:
    """Explain values as if they had stood in a log, and tell what events know of them. Nothing is changed."""
    return LookupAnswer(results=enriched(look_up(store, trails, body.values), memory, countries))


_Query = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=MAX_QUERY,
        description="The value; `q` and `query` mean the same.",
        openapi_examples={"domain": {"value": "www.evil.example"}},
    ),
]


@classic.get(
    "/check",
    operation_id="checkAsMaltrail",
    summary="What the trail set says of one value, as Maltrail's server answers",
    response_model_exclude_none=True,
)
def check(trails: TrailsDep, q: _Query = None, query: _Query = None) -> MaltrailCheckAnswer:
    """Give the first trail that a record with this value would meet."""
    value = q if q is not None else query
    if value is None:
        raise parameter_error("q", "a value to look up was expected")
    [explained] = trails.explain([value])
    counting = [match.trail for match in explained.matches if not match.hidden]
    if not explained.found or not counting:
        return MaltrailCheckAnswer(query=value, found=False)
    trail = counting[0]
    reference = trail.reference or ", ".join(trail.sources)
    return MaltrailCheckAnswer(query=value, found=True, trail=trail.value, info=trail.info, reference=reference)
