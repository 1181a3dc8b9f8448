"""What all answers share."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
COUNTRY = "Where the outside end is (ISO 3166); null where that is not known, or there is no database."


def example(**fields: Any) -> ConfigDict:
    """Show one answer in the OpenAPI document."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Answer(BaseModel):
    """What all answers share."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)
