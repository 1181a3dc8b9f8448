"""File systems of which the kernel gives no notice when somebody else writes to them."""

import os
import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mounts")
_REMOTE = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "lustre", "gpfs", "9p", "virtiofs", "vboxsf")
)
_ESCAPE = re.compile(r"\\([0-7]{3})")


def is_remote(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Tell whether a folder is on a network share, or on a file system that a program provides (FUSE)."""
    kind = _kind(os.path.realpath(folder), mounts)
    return kind in _REMOTE or kind.startswith("fuse.") or kind == "fuse"


def _kind(folder: str, mounts: Path) -> str:
    """Give the kind of the file system a folder is on, empty when nobody can tell."""
    best, kind = "", ""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    for line in lines:
        _, place, found, *_ = line.split(" ")
        place = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), place)
        # Of several mounts on one place the last is the one that is seen.
        if len(place) >= len(best) and (folder == place or folder.startswith(place.rstrip("/") + "/")):
            best, kind = place, found
    return kind
