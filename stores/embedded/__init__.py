"""The store that comes with Trailhound: one SQLite file, one writer, any number of readers."""

from stores.embedded.store import open_embedded

__all__ = ["open_embedded"]
