"""What people make of events, and do about them: triage, decisions, trails of their own, and who did what."""

from pathlib import Path

from stores.desk.contract import Desk
from stores.desk.kept import KeptDesk
from stores.desk.sqlite import SqliteRows

FILE = "desk.sqlite"

__all__ = ["FILE", "Desk", "open_desk"]


def open_desk(state_dir: Path) -> Desk:
    """Open the desk of this host; its file is made when it is first used."""
    return KeptDesk(SqliteRows(state_dir / FILE))
