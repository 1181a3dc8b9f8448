"""What is asked for that could be worth a look: one pass over the raw cells of a batch, for all who look at requests.

Hardly anything that is asked for is suspect; only that is read as text, decoded, and looked at closely.
"""

from collections.abc import Hashable, Sequence
from typing import cast

from matchers.heuristics.lines import Lines, pattern
from matchers.heuristics.requests.patterns import ESCAPED, LOOKS
from matchers.view import View

EXTENSIONS = "apk|bin|class|chm|dll|egg|exe|hta|hwp|lnk|msi|pif|ps1|pyz|scr|sct|vsto|wbk|xpi"
# The processors of small devices, and other words that end the names of programs for them.
PROCESSORS = (
    "aarch(?:64(?:be)?)?|amd64|arm(?:v?[4-8](?:e?[abtln]|eb|tel)?)?|arcle-?(?:750d|hs38)|arc|i[3-6]86|m68k?"
    "|mips(?:64|32|el|le)?|mpsl|mipsel|pcc|powerpc(?:-440fp)?|ppc(?:64|440(?:fp)?)?|riscv(?:64|32)?|s390x?|sh[24]?"
    "|sh4el|sparc|spc|x86(?:[_-]?64)?|x32|x64|exploit|root|wtf|yarn|zte"
)
_END = r"(?:\?|$)"
# Zeek writes bytes that are no text as `\x` and their number.
_SIGNS = pattern(
    ESCAPED,
    r"\\x",
    *(sign for look in LOOKS.values() for sign in look.signs),
    rf"\.(?:{EXTENSIONS}){_END}",
    rf"(?:^|[/._-])(?:{PROCESSORS}){_END}",
    "^[a-z]+://",
)


def suspects(view: View) -> Lines:
    """Give what a batch of http.log asks for that could be worth a look; to be asked of `View.once`."""
    cells = [cell for cell in view.distinct("uri") if cell.__class__ is bytes or cell.__class__ is str]
    found = set(_lines(cells).with_any(_SIGNS)) if cells else set()
    return Lines(*_read(view, found))


def _lines(cells: Sequence[Hashable]) -> Lines:
    """Take raw cells as they are: those of a log are all of one kind."""
    return Lines(cast("Sequence[str]", cells), cells)


def _read(view: View, cells: set[Hashable]) -> tuple[Sequence[str], Sequence[Hashable]]:
    return view.texts("uri", cells) if cells else ((), ())
