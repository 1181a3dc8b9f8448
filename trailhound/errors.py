"""The errors of Trailhound.

    TrailhoundError
    ├── SettingsError          a setting is missing, unknown or out of range
    ├── TrailError             a value cannot be a trail
    ├── TrailSetError          a compiled trail set is missing, damaged or of another version
    ├── SourceError            a log file or trail file cannot be read
    ├── RecordError            a log line cannot be read; goes to the dead letters
    ├── SearchError            what somebody wrote to find events cannot be read
    ├── AccessError            a user or key is unknown, known already, or may not be
    ├── FetchError             a feed cannot be fetched, or is not what was expected: its last good copy stays
    ├── SendError              a target does not take what is sent to it
    ├── RequestError           the API of a Trailhound refuses a request, or does not answer (`trailhound.client`)
    └── StoreError             the store refuses
        ├── StoreUnavailable   it may answer later: wait and try again
        │   └── StorePartly    it keeps some events of a batch and may take the others later
        ├── StoreConflict      what is to be changed is another by now
        ├── StoreFull          there are as many as there may be
        └── StoreDamaged       it will not answer: a person has to act

A message is one sentence for the person who runs Trailhound: it names the file, the key and what was expected.
"""

from collections.abc import Iterable


class TrailhoundError(Exception):
    """Root of every error that Trailhound raises on purpose."""


class SettingsError(TrailhoundError):
    """A setting is missing, unknown or out of range."""


class TrailError(TrailhoundError):
    """A value cannot be a trail."""


class TrailSetError(TrailhoundError):
    """A compiled trail set is missing, damaged or of another version."""


class SourceError(TrailhoundError):
    """A log file or trail file cannot be read."""


class RecordError(TrailhoundError):
    """A log line cannot be read."""


class FetchError(TrailhoundError):
    """A feed cannot be fetched, or what came is not what was expected."""


class UnresolvedError(FetchError):
    """A name cannot be resolved; it may be later."""


class SendError(TrailhoundError):
    """A target does not take what is sent to it."""


class RequestError(TrailhoundError):
    """The API of a Trailhound refuses a request (`status`), or does not answer (None)."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class AccessError(TrailhoundError):
    """A user or key is unknown, known already, or may not be."""


class StoreError(TrailhoundError):
    """The store refuses."""


class StoreUnavailable(StoreError):  # noqa: N818 - the name says a state, as a caller's `except` reads best
    """The store may answer later: wait and try again."""


class StorePartly(StoreUnavailable):
    """The store keeps some events of a batch; it may take the others later. `ids` names those that it does not keep."""

    def __init__(self, message: str, ids: Iterable[str]) -> None:
        super().__init__(message)
        self.ids = frozenset(ids)


class StoreConflict(StoreError):  # noqa: N818
    """What is to be changed is another by now: look at it again."""


class StoreFull(StoreError):  # noqa: N818
    """There are as many as there may be."""


class StoreDamaged(StoreError):  # noqa: N818
    """The store will not answer: a person has to act."""


class SearchError(TrailhoundError):
    """What somebody wrote to find events cannot be read; the message names the place and what was expected."""
