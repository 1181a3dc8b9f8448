"""What a trail set takes: of the disk, and of the memory of this process."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from matchers.trailset import TrailSet

_MAPPINGS = Path("/proc/self/smaps")
_OWN = ("Private_Dirty", "Anonymous", "Swap")


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes of a compiled set: its file, each section of it, and how much of it this process has in memory.

    `own` of these are copies that no other process shares. Both are None where the kernel does not tell (it needs
    `/proc`).
    """

    file: int
    sections: Mapping[str, int]
    a_trail: float
    resident: int | None
    own: int | None


def measure(trails: TrailSet) -> Footprint:
    size = trails.path.stat().st_size
    sections = {name: length for name, (_, length) in trails.about.sections.items()}
    held = list(_mapped(trails.path))
    return Footprint(
        file=size,
        sections=sections,
        a_trail=size / max(len(trails), 1),
        resident=sum(counts["Rss"] for counts in held) if held else None,
        own=sum(max(counts.get(name, 0) for name in _OWN) for counts in held) if held else None,
    )


def _mapped(path: Path) -> Iterator[Mapping[str, int]]:
    """Give the counts, in bytes, of each place at which this process has a file mapped."""
    try:
        lines = _MAPPINGS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    mark = (str(path.stat().st_ino), path.name)
    counts: dict[str, int] | None = None
    for line in lines:
        words = line.split()
        if not words[0].endswith(":"):  # `start-end rights offset device inode path` begins the next mapping.
            if counts is not None:
                yield counts
            is_ours = len(words) > 5 and (words[4], line.rpartition("/")[2]) == mark
            counts = {} if is_ours else None
        elif counts is not None and words[-1] == "kB":
            counts[words[0].removesuffix(":")] = int(words[1]) * 1024
    if counts is not None:
        yield counts
