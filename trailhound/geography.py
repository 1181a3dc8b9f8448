"""Settings of countries: a database of this host says where addresses are."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class Geography(BaseModel):
    """Where addresses are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database: Path | None = Field(
        default=None,
        description="Database of countries in MaxMind's format (MMDB): GeoLite2, DB-IP or IPinfo, with countries or"
        " cities. It is read anew when it changes. Unset: no address has a country, and nothing else is missing.",
    )
