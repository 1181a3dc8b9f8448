"""Settings of trails: what records are matched against."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from trailhound.errors import TrailError
from trailhound.local_names import LOCAL_SUFFIXES, read_suffix
from trailhound.trail import TrailClass


def _suffix(text: str) -> str:
    try:
        return read_suffix(text)
    except TrailError as error:
        raise ValueError(str(error)) from error


Suffix = Annotated[str, AfterValidator(_suffix)]


class Trails(BaseModel):
    """What records are matched against."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    set: Path | None = Field(
        default=None,
        description="A compiled trail set to use as it is. Unset: one is compiled when `files` or `starter` change.",
    )
    files: tuple[Path, ...] = Field(
        default=(),
        description="Trails: Maltrail's static folder (or archive) and trails.csv, plain lists, Zeek intel files.",
    )
    custom: tuple[Path, ...] = Field(
        default=(),
        description="Trails of your own, as `files`; marked as custom, and stronger than what lists say of a value.",
    )
    starter: bool = Field(default=True, description="Add the trails that come with Trailhound.")
    min_ratio: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Least share of the trails in force that a new set must have to be taken up while running.",
    )
    expired_days: int = Field(
        default=90,
        ge=0,
        le=36_500,
        description="How long a trail that expired is kept in a set, for records that are older still.",
    )
    ignore_classes: tuple[TrailClass, ...] = Field(
        default=(), description="Classes of trails that never count, such as `policy` or `parked`."
    )
    min_confidence: int = Field(
        default=0, ge=0, le=100, description="Trails of less confidence never count; 0 lets all count."
    )
    whitelist: tuple[Path, ...] = Field(
        default=(), description="Files of names, addresses and networks that never match, one a line."
    )
    local_suffixes: tuple[Suffix, ...] = Field(
        default=tuple(LOCAL_SUFFIXES),
        max_length=1000,
        description="Names that are or end in one of these never match. Your own list stands in place of this one.",
    )
