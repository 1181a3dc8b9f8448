"""Texts as the lines of one text, so that one pass of a regex looks at all of them."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import cast

import re2

_MEMORY = 64 * 1024 * 1024  # Bytes that a regex may take; with less it is slower, and finds the same.


def pattern(*alternatives: str) -> re2._Regexp:
    """Compile what is looked for in lines: any of some regexes, whatever the case; `^` and `$` are ends of lines.

    RE2 takes time in proportion to the text, whatever the text.
    """
    options = re2.Options()
    options.case_sensitive = False
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_nl = True
    options.never_capture = True
    options.max_mem = _MEMORY
    return re2.compile(f"(?m)(?:{'|'.join(alternatives)})".encode(), options)


class Lines:
    """Texts, or raw cells of a log that could be texts, with the cell of each."""

    def __init__(self, texts: Sequence[str] | Sequence[bytes], cells: Sequence[Hashable]) -> None:
        self._texts = texts
        self._cells = cells
        self._joined = _joined(texts)

    def with_any(self, found_by: re2._Regexp) -> Mapping[Hashable, str]:
        """Give the lines in which a regex finds something, by their cells."""
        texts = cast("Sequence[str]", self._texts)
        return {self._cells[number]: texts[number] for number in self._numbers(found_by)}

    def _numbers(self, found_by: re2._Regexp) -> Iterator[int]:
        joined, begin, number = self._joined, 0, 0
        while begin < len(joined) and (match := found_by.search(joined, begin)) is not None:
            place = match.start()
            number += joined.count(b"\n", begin, place)
            yield number
            end = joined.find(b"\n", place)
            if end < 0:
                return
            begin, number = end + 1, number + 1


def _joined(texts: Sequence[str] | Sequence[bytes]) -> bytes:
    if texts and isinstance(texts[0], bytes):
        return b"\n".join(cast("Sequence[bytes]", texts))
    said = cast("Sequence[str]", texts)
    joined = "\n".join(said)
    if joined.count("\n") >= max(len(said), 1):
        joined = "\n".join([text.replace("\n", " ") for text in said])
    return joined.encode("utf-8", "surrogatepass")
