"""Log-ins as heuristics see them: who tried to log in where, as whom, and how it ended.

SSH tells by how much was said after it, NTLM and Kerberos by the server's own words, FTP by its reply. Of RDP only
the connection is seen: a client that keeps one open connects once, a guesser connects for each guess.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from matchers.observers.ftp import LOGGED_IN, NOT_LOGGED_IN
from matchers.view import View
from trailhound import canonical

_ENDS = ("id.orig_h", "id.orig_p", "id.resp_h")
_LOG_COLUMNS = {
    "ssh": ("auth_success", "auth_attempts"),
    "rdp": (),
    "ftp": ("reply_code", "user"),
    "ntlm": ("success", "username"),
    "kerberos": ("success", "error_msg", "client"),
}
READS = {log: (*_ENDS, *columns) for log, columns in _LOG_COLUMNS.items()}
PROTOCOLS = {"ssh": "SSH", "rdp": "RDP", "ftp": "FTP", "ntlm": "NTLM", "kerberos": "Kerberos"}
_MOST_ATTEMPTS = 10  # Of one connection: servers hang up after six by default.
# What a domain controller says to a wrong password, a user it does not know, and one who is locked out. That it wants
# pre-authentication first is no failure: every log-in begins so.
_DENIED = frozenset({"KDC_ERR_PREAUTH_FAILED", "KDC_ERR_C_PRINCIPAL_UNKNOWN", "KDC_ERR_CLIENT_REVOKED"})


class Ended(Enum):
    """How an attempt to log in ended. `UNSEEN`: encrypted."""

    WELL = auto()
    BADLY = auto()
    UNSEEN = auto()


@dataclass(frozen=True, slots=True)
class Login:
    """An attempt to log in, or several over one connection. `user` is empty where the log does not say."""

    row: int
    source: str
    target: str
    port: int
    user: str
    ended: Ended
    attempts: int = 1


_Read = Callable[[View, int], tuple[Ended, int, str] | None]


def logins_of(view: View) -> Sequence[Login]:
    """Give the attempts to log in that a batch shows, in the order of its rows."""
    read, columns = _READERS.get(view.log), view.columns(*_ENDS)
    return list(_logins(view, read, columns)) if read is not None and columns is not None else ()


def _logins(view: View, read: _Read, columns: Sequence[Sequence[Hashable]]) -> Iterator[Login]:
    sources, ports, targets = columns
    for row in range(len(view)):
        said = read(view, row)
        if said is None:
            continue
        ended, attempts, user = said
        source = canonical.address(view.text("id.orig_h", sources[row]) or "")
        target = canonical.address(view.text("id.resp_h", targets[row]) or "")
        if source is not None and target is not None:
            port = int(view.number("id.orig_p", ports[row]) or 0)
            yield Login(row, source, target, port, user, ended, attempts)


def _said(view: View, name: str, row: int) -> Hashable:
    column = view.column(name)
    return column[row] if column is not None else None


def _text(view: View, name: str, row: int) -> str:
    cell = _said(view, name, row)
    return (view.text(name, cell) or "") if cell is not None else ""


def _truth(view: View, name: str, row: int) -> bool | None:
    """Read a truth value, as each format writes it."""
    cell = _said(view, name, row)
    if cell is None or cell is True or cell is False:
        return cell
    return {"T": True, "F": False}.get(view.text(name, cell) or "")


def _number(view: View, name: str, row: int) -> int | None:
    cell = _said(view, name, row)
    number = view.number(name, cell) if cell is not None else None
    return int(number) if number is not None and abs(number) < 1 << 31 else None


def _ssh(view: View, row: int) -> tuple[Ended, int, str] | None:
    success = _truth(view, "auth_success", row)
    if success is None:
        return None
    attempts = max(1, min(_number(view, "auth_attempts", row) or 1, _MOST_ATTEMPTS))
    return (Ended.WELL, 1, "") if success else (Ended.BADLY, attempts, "")


def _rdp(view: View, row: int) -> tuple[Ended, int, str] | None:
    del view, row
    return Ended.UNSEEN, 1, ""


def _ftp(view: View, row: int) -> tuple[Ended, int, str] | None:
    ended = {LOGGED_IN: Ended.WELL, NOT_LOGGED_IN: Ended.BADLY}.get(_number(view, "reply_code", row) or 0)
    return (ended, 1, _text(view, "user", row)) if ended is not None else None


def _ntlm(view: View, row: int) -> tuple[Ended, int, str] | None:
    user, success = _text(view, "username", row), _truth(view, "success", row)
    # Without a name it is nobody: a null session.
    return (Ended.WELL if success else Ended.BADLY, 1, user) if user and success is not None else None


def _kerberos(view: View, row: int) -> tuple[Ended, int, str] | None:
    client, success = _text(view, "client", row), _truth(view, "success", row)
    if success:
        return Ended.WELL, 1, client
    return (Ended.BADLY, 1, client) if _text(view, "error_msg", row) in _DENIED else None


_READERS: dict[str, _Read] = {"ssh": _ssh, "rdp": _rdp, "ftp": _ftp, "ntlm": _ntlm, "kerberos": _kerberos}
