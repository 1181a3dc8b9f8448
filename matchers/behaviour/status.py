"""How looking for behaviour goes: written after each look, read by whoever serves metrics."""

from pathlib import Path

import msgspec

FOLDER = "window"  # In the state directory.
_FILE = "status.json"


class Status(msgspec.Struct, frozen=True):
    """The latest look.

    `looked` is when (microseconds since the epoch), `seconds` how long it took, `records` how many were looked through
    and `found` what came of it. `lost` counts records that found no room since the start, `dropped` those out of
    bounds at the latest look. `waiting` and `held` are bytes of disk: of the spool, and of the window. `failed` names
    behaviours that could not be looked for; `reason` says why nothing could.
    """

    looked: int
    seconds: float = 0.0
    records: int = 0
    found: int = 0
    lost: int = 0
    dropped: int = 0
    waiting: int = 0
    held: int = 0
    failed: tuple[str, ...] = ()
    reason: str = ""


def load(state_dir: Path) -> Status | None:
    """Give the latest, None when there is none that can be read."""
    try:
        return msgspec.json.decode((state_dir / FOLDER / _FILE).read_bytes(), type=Status)
    except (OSError, msgspec.MsgspecError):
        return None


def save(state_dir: Path, status: Status) -> None:
    """Write in one step. May raise `OSError`."""
    path = state_dir / FOLDER / _FILE
    unborn = path.with_name(f"{_FILE}.unborn")
    unborn.write_bytes(msgspec.json.encode(status))
    unborn.replace(path)
