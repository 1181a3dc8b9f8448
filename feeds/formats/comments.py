"""`# Reference: URL` lines: what they document."""

import re

from feeds.entry import tidy_reference

_REFERENCE = re.compile(r"#\s*References?:\s*(\S.*)", re.IGNORECASE)


class References:
    """Holds for each line the reference that stands above it: until the next one, and of several in a row the first.

    Where several stand in a row, the first is the report and the others its evidence.
    """

    def __init__(self) -> None:
        self.current = ""
        self._in_a_row = False

    def comment(self, text: str) -> None:
        match = _REFERENCE.match(text)
        if match is None:
            return
        if not self._in_a_row:
            self.current = tidy_reference(match[1])
        self._in_a_row = True

    def no_comment(self) -> None:
        self._in_a_row = False
