"""How sending may end when it does not end well."""

from trailhound.errors import SendError


class Later(SendError):  # noqa: N818 - the name says a state, as a caller's `except` reads best
    """The target takes nothing at present: wait and try again. `after` is how many seconds it asks for."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class Refused(SendError):  # noqa: N818
    """The target does not take this very message; it may take others."""
