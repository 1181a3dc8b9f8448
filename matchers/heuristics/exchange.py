"""A request in the clear, as heuristics look at it: who asked whom for what, and what the answer was."""

from collections.abc import Hashable
from dataclasses import dataclass
from urllib.parse import unquote

from matchers.heuristics.heuristic import Surroundings
from matchers.heuristics.vertical import is_ours
from matchers.view import View
from trailhound import canonical
from trailhound.errors import TrailError

# What `request` reads.
COLUMNS = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "host", "uri", "status_code")
_GOOD = range(200, 300)
_BAD = range(400, 600)
SHOWN = 120  # Characters of a request that a message shows.


@dataclass(frozen=True, slots=True)
class Request:
    """A request: `host` is canonical, or the address where it named none, and `url` has it with port and path."""

    source: str
    port: Hashable
    destination: str
    destination_port: float | None
    host: str
    authority: str
    path: str
    status: int | None

    @property
    def url(self) -> str:
        return f"{self.authority}{self.path}"

    @property
    def shown(self) -> str:
        """What was asked for, as long as a message has room for it."""
        return self.url if len(self.url) <= SHOWN else f"{self.url[:SHOWN]}…"

    @property
    def occasion(self) -> Hashable:
        """What tells this request from all others, whichever sensor saw it: Zeek undoes escapes, Suricata does not."""
        return self.source, self.port, self.destination, unquote(self.path)

    @property
    def is_answered_well(self) -> bool:
        return self.status in _GOOD

    @property
    def is_refused(self) -> bool:
        return self.status in _BAD


def request(view: View, row: int) -> Request | None:
    """Read a row of http.log; None where it does not say who spoke with whom."""
    source, destination = (canonical.address(_text(view, name, row) or "") for name in ("id.orig_h", "id.resp_h"))
    if source is None or destination is None:
        return None
    authority, path = _target(_text(view, "host", row) or "", _text(view, "uri", row) or "")
    authority = authority or _bracketed(destination)
    host = canonical.host_port(authority)[0]
    status = _number(view, "status_code", row)
    return Request(
        source=source,
        port=_number(view, "id.orig_p", row),
        destination=destination,
        destination_port=_number(view, "id.resp_p", row),
        host=canonical.address(host) or canonical.name(host) or destination,
        authority=authority,
        path=path,
        status=round(status) if status is not None and 0 < status < 1000 else None,
    )


def is_outbound(surroundings: Surroundings, asked: Request) -> bool:
    """Tell whether a host of ours asked one that is not."""
    return is_ours(surroundings, asked.source) and not is_ours(surroundings, asked.destination)


def _target(host: str, uri: str) -> tuple[str, str]:
    """Give authority and path; of a request to a proxy those of what it was asked for."""
    if (uri or "/")[0] in "/*":
        return host, uri
    scheme, authority, path = canonical.split_url(uri)
    return (authority, path or "/") if scheme and authority else (host or uri, "" if not host else uri)


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _text(view: View, name: str, row: int) -> str | None:
    column = view.column(name)
    return view.text(name, column[row]) if column is not None and column[row] is not None else None


def _number(view: View, name: str, row: int) -> float | None:
    column = view.column(name)
    return view.number(name, column[row]) if column is not None and column[row] is not None else None


def url_value(asked: Request) -> str:
    """Give what was asked for as the value of a trail: canonical, without its query."""
    bare = asked.url.partition("?")[0]
    try:
        return canonical.url(bare).value
    except TrailError:
        return bare
