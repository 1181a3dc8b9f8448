"""A list as it was when the server stopped, so that whoever asks right after the next start need not wait for it."""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import msgspec
import structlog

from api.lists.entry import Candidate
from api.lists.rule import Rule
from feeds.parts import replace_file
from trailhound.record import MICROSECONDS

FILE = "fail2ban.list"
_VERSION = 1
_OLDEST = 3600 * MICROSECONDS  # What is older says too little of those who attack now.
_LARGEST = 256 << 20
_log = structlog.get_logger("lists")


class SavedList(msgspec.Struct, frozen=True, array_like=True):
    """Candidates of a rule, the moment they are of, and the last event that the store had then."""

    version: int
    rule: str
    at: int
    last: int
    candidates: Sequence[Candidate]


def write(folder: Path, rule: Rule, at: int, last: int, candidates: Sequence[Candidate]) -> None:
    """Keep a list in a file; where there is no room for it there is none at the next start."""
    path = folder / FILE
    try:
        replace_file(path, msgspec.msgpack.encode(SavedList(_VERSION, _name(rule), at, last, candidates)))
    except OSError as error:
        _log.warning("a block list could not be kept for the next start", path=str(path), reason=str(error))


def read(folder: Path, rule: Rule, now: int, last: int) -> Sequence[Candidate]:
    """Give what was kept for a rule, none if it is old, of another rule, or of a store that is further than this one.

    `last` is the time of the last event that the store has now. What has run out since is left out.
    """
    path = folder / FILE
    try:
        if path.stat().st_size > _LARGEST:
            return ()
        found = msgspec.msgpack.decode(path.read_bytes(), type=SavedList)
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError) as error:
        _log.warning("the block list of the last start cannot be read", path=str(path), reason=str(error))
        return ()
    is_good = found.version == _VERSION and found.rule == _name(rule) and found.last <= last
    if not is_good or not now - _OLDEST <= found.at <= now:
        return ()
    stays = {days: rule.stay(days) for days in {one.days for one in found.candidates}}
    return [one for one in found.candidates if one.last + stays[one.days] >= now]


def _name(rule: Rule) -> str:
    return blake2b(repr(rule).encode(), digest_size=16).hexdigest()
