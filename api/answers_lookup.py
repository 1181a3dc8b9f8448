"""What a look-up answers with."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from api.answer import COUNTRY, Answer, Time, example
from api.answers import CheckedValue
from api.answers_observables import ObservableAnswer
from api.writing import Body
from trailhound.canonical import MAX_TEXT

MAX_VALUES = 1000
Checkable = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
_FIRST = "2026-02-01T12:00:00.000000Z"
_LAST = "2026-02-02T12:00:00.000000Z"
_FOUND = {
    "value": "www.Evil.example", "found": False, "whitelisted": "evil.example is on the whitelist",
    "readings": [{"kind": "domain", "canonical": "www.evil.example"}],
    "matches": [
        {
            "key": "evil.example", "kind": "domain", "trail": "evil.example", "info": "emotet", "class": "c2",
            "sources": ["urlhaus"], "reference": "", "confidence": 80, "first_seen": _FIRST, "expires": _LAST,
            "custom": False, "hidden": "whitelisted by evil.example (built in, line 12)",
        }
    ],
    "seen": [
        {"as": "trail", "value": "evil.example", "records": 20, "events": 2, "first": _FIRST, "last": _LAST}
    ],
}  # fmt: skip


class LookupRequest(Body):
    """The values to look up."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"values": ["www.evil.example", "192.0.2.1"]}]})

    values: tuple[Checkable, ...] = Field(
        min_length=1,
        max_length=MAX_VALUES,
        description="Domain, address, network, address:port, URL, path, hash, user agent or e-mail, in any spelling.",
    )


class SeenValue(Answer):
    """What events know of a value, or of a trail that it meets."""

    as_: Literal["trail", "source", "destination"] = Field(alias="as", description="What it was in these events.")
    value: str
    records: int = Field(description="True count of records.")
    events: int = Field(description="Stored documents.")
    first: Time
    last: Time


class LookedUpValue(CheckedValue):
    """What the trail set says of one value, and what events know of it."""

    seen: tuple[SeenValue, ...] = Field(description="As what it was met, since when and how often; empty: never.")
    country: str | None = Field(default=None, description=COUNTRY)
    observed: ObservableAnswer | None = Field(
        default=None,
        description="What the observable memory knows of it (`/observables`), met it a trail or not; null where nothing"
        " is remembered, for what cannot be, and for users of some networks only.",
    )


class LookupAnswer(Answer):
    """One result for each value, in the order asked."""

    model_config = example(results=[_FOUND])

    results: tuple[LookedUpValue, ...]


class MaltrailCheckAnswer(Answer):
    """What Maltrail's server answers."""

    model_config = example(
        query="www.evil.example", found=True, trail="evil.example", info="emotet", reference="urlhaus"
    )

    query: str
    found: bool
    trail: str | None = None
    info: str | None = None
    reference: str | None = None
