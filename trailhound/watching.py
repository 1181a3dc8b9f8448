"""Settings of logs: where records come from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from trailhound.start import Start


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Folder(_Section):
    """One folder of logs, with the sensor that writes them."""

    path: Path = Field(description="Folder that Zeek or Suricata writes its logs to; looked through recursively.")
    sensor: str = Field(
        default="",
        max_length=255,
        description="Name of the sensor in every event (`observer.name`). Empty: the name of this host.",
    )
    include: tuple[str, ...] = Field(
        default=("*.log", "*.json", "*.ndjson"), description="Names of files to follow, as shell patterns."
    )
    exclude: tuple[str, ...] = Field(
        default=("stats.log", "*loaded_scripts*.log", "capture_loss*.log", "reporter*.log", "fast.log", "suricata.log"),
        description="Names of files to leave alone, as shell patterns; stronger than `include`.",
    )
    silent_minutes: float | None = Field(
        default=None, ge=0, le=525_600, description="As `logs.silent_minutes`, for this folder. Unset: that one counts."
    )


class CustomLog(_Section):
    """A log that Trailhound does not know: which of its columns hold what."""

    columns: Mapping[str, Literal["address", "name", "url", "user-agent", "certificate", "file-hash", "email"]] = Field(
        description="Column -> kind of value in it. `id.orig_h` and `id.resp_h` are known by themselves."
    )


class Logs(_Section):
    """Where records come from."""

    folders: tuple[Folder, ...] = Field(default=(), description="Folders to watch.")
    start: Start = Field(
        default="beginning",
        description="Where to start in files that were there before the first run: `beginning`, `end`, or a time: only"
        " records since then count. A time is ISO 8601, UTC unless it says otherwise, or a duration such as `6h`.",
    )
    compressed: Literal["continue", "never"] = Field(
        default="continue",
        description="What to do with rotated logs whose names are not followed (`eve.json.1`, `conn.log.gz`): read on"
        " in them what was unread, and read those written since the last run; or leave them alone.",
    )
    poll_seconds: float = Field(
        default=2.0, gt=0, le=3600, description="How often folders are looked through beside the kernel's notices."
    )
    polling: bool = Field(
        default=False,
        description="Do without the kernel's notices (inotify): for network shares, where they do not arrive.",
    )
    take_in: tuple[Literal["zeek-notice", "zeek-intel", "suricata-alert"], ...] = Field(
        default=(),
        max_length=16,
        description="Logs whose records are events of their own, though they meet no trail:"
        " `zeek-notice`, `zeek-intel`, `suricata-alert`.",
    )
    custom: Mapping[str, CustomLog] = Field(default_factory=dict, description="Logs of your own, by Zeek's `#path`.")
    max_line_bytes: int = Field(
        default=1_048_576, ge=4096, le=67_108_864, description="A longer line goes to the dead letters."
    )
    silent_minutes: float = Field(
        default=60,
        ge=0,
        le=525_600,
        description="A log that had records and has had none for so long, and for twice as long as is usual for it, is"
        " a warning; 0: never.",
    )
    max_clock_skew_seconds: float = Field(
        default=300,
        ge=0,
        le=31_536_000,
        description="Records that come from further in the future, or all of which come later than that while their log"
        " is written, are a warning: a clock is wrong. 0: never.",
    )
