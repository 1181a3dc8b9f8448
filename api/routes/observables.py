"""The observable memory: was a name, an address or a hash ever in traffic, since when, how often, at which sensors."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from api import observing
from api.access.caller import caller_of
from api.access.guarding import needs
from api.access.principal import Scope
from api.answers_observables import ObservablesAnswer
from api.deps import SettingsDep
from api.writing import Body
from stores.observables import ObservableMemory
from trailhound.canonical import MAX_TEXT

# It holds what was seen in all networks, and cannot tell whose it was.
router = APIRouter(prefix="/observables", tags=["observables"], dependencies=[needs(Scope.READ, whole=True)])
AT_ONCE = 1000
Value = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


async def _memory(request: Request) -> ObservableMemory:
    memory: ObservableMemory = request.app.state.observables
    return memory


async def _own_memory(request: Request, settings: SettingsDep) -> ObservableMemory | None:
    """Give the memory where it is on, to whoever may see all networks: it cannot tell whose a value was."""
    principal = caller_of(request.scope).principal
    if not settings.observables.enabled or principal is None or principal.is_restricted:
        return None
    return await _memory(request)


MemoryDep = Annotated[ObservableMemory, Depends(_memory)]
OwnMemoryDep = Annotated[ObservableMemory | None, Depends(_own_memory)]


class Values(Body):
    """What to ask for."""

    values: Annotated[Sequence[Value], Field(min_length=1, max_length=AT_ONCE)] = Field(
        description="Names, addresses and hashes.", examples=[["evil.example", "45.155.205.233"]]
    )


@router.get("", operation_id="getObservables", summary="Whether values were ever seen in traffic")
def get_observables(
    memory: MemoryDep,
    settings: SettingsDep,
    value: Annotated[
        list[Value],
        Query(
            min_length=1,
            max_length=100,
            description="A name, an address or a hash; may be given several times.",
            openapi_examples={"two": {"value": ["evil.example", "45.155.205.233"]}},
        ),
    ],
) -> ObservablesAnswer:
    """Tell of each value when and by which sensors it was seen, whether it met a trail or not."""
    return observing.answer(memory, value, enabled=settings.observables.enabled)


@router.post("", operation_id="findObservables", summary="Whether many values were ever seen in traffic")
def find_observables(memory: MemoryDep, settings: SettingsDep, body: Values) -> ObservablesAnswer:
    """Tell the same of up to 1,000 values. Nothing is changed."""
    return observing.answer(memory, body.values, enabled=settings.observables.enabled)
