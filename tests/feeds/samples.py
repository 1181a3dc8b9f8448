"""The samples of the catalogue: what each feed sends, in its own format, as files like those that are fetched."""

import gzip
import io
import tarfile
from pathlib import Path

from feeds.feed import Feed

SAMPLES = Path(__file__).parent.parent / "fixtures" / "feeds"
# Those whose documents come one by one, after a manifest.
FOLDERS = frozenset({"misp-botvrij", "misp-circl"})


def sample_of(feed: Feed, folder: Path) -> list[Path]:
    """Write the sample of a feed into a folder as it is fetched: packed where it comes packed. Give its documents."""
    source = next(path for path in sorted(SAMPLES.iterdir()) if path.stem == feed.name)
    if source.is_dir() and feed.name in FOLDERS:
        return sorted(source.iterdir(), key=lambda path: (path.name != "manifest.json", path.name))
    suffix = ".tar.gz" if source.is_dir() else source.suffix
    target = folder / f"{feed.name}{suffix}"
    if source.is_dir():
        target.write_bytes(_packed(source))
    elif feed.urls[0].endswith(".gz"):
        target = folder / f"{feed.name}{suffix}.gz"
        target.write_bytes(gzip.compress(source.read_bytes(), mtime=0))
    else:
        target.write_bytes(source.read_bytes())
    return [target]


def _packed(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(folder, arcname=".")
    return buffer.getvalue()
