"""What the API answers with about countries."""

from pydantic import Field

from api.answer import Answer, Time, example
from api.answers import Period, SeverityWord

_TIME = "2026-02-01T12:00:00.000000Z"
_LATER = "2026-02-02T12:00:00.000000Z"


class CountryAnswer(Answer):
    """The events whose outside end is in one country."""

    country: str | None = Field(description="ISO 3166, two letters; null: the addresses of which no country is known.")
    records: int = Field(description="True count of records.")
    events: int = Field(description="Stored documents.")
    threats: int
    sources: int = Field(description="Addresses that these events came from.")
    addresses: int = Field(description="Addresses of the country itself, whichever end they were.")
    severity: SeverityWord = Field(description="The highest that it had.")
    first: Time
    last: Time


class CountriesAnswer(Answer):
    """The countries with the most records, and how many there are in all."""

    model_config = example(
        period={"since": _TIME, "until": _LATER},
        countries=[
            {
                "country": "NL", "records": 1500, "events": 40, "threats": 9, "sources": 9, "addresses": 9,
                "severity": "low", "first": _TIME, "last": _LATER,
            }
        ],
        total=1,
        left_out=0,
        enabled=True,
        problem="countries.database: /var/lib/trailhound/countries.mmdb: it cannot be read: Permission denied",
    )  # fmt: skip

    period: Period = Field(description="What was counted; the same question within a minute may have this answer too.")
    countries: tuple[CountryAnswer, ...]
    total: int
    left_out: int = Field(description="Addresses that were not looked at: those with the fewest records of very many.")
    enabled: bool = Field(description="Whether this host has a database (`countries.database`).")
    problem: str | None = Field(description="What is wrong with it; null when all is well.")
