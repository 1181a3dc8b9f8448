"""Logging in and out: from name and password to a session, with everything that makes guessing slow."""

import math
from dataclasses import dataclass

from api.access import diary
from api.access.accounts import Accounts
from api.access.caller import Caller, Session
from api.access.failures import Failures


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nobody was let in; with `wait` the next try has to wait so many seconds."""

    wait: int = 0


@dataclass(frozen=True, slots=True)
class Entered:
    """A new session, and the token that goes into its cookie."""

    token: str
    session: Session


class Entry:
    """Lets users in."""

    def __init__(self, accounts: Accounts, failures: Failures) -> None:
        self._accounts = accounts
        self._failures = failures

    def log_in(self, caller: Caller, name: str, password: str) -> Entered | Refused:
        """Begin a session of its own, whatever session the caller had: that one ends."""
        wait = self.check(caller, name, password)
        if wait is not None:
            return Refused(wait)
        if caller.session is not None:
            self._accounts.end_session(caller.session.id)
        diary.write("succeeded", caller.address, name)
        return Entered(*self._accounts.open_session(name, caller.address or ""))

    def check(self, caller: Caller, name: str, password: str) -> int | None:
        """Give None for the right password; else for how many seconds the next try has to wait."""
        allowed, wait = self._failures.begin(caller.address, name)
        if not allowed:
            diary.write("locked", caller.address, name)
            return math.ceil(wait)
        if not self._accounts.is_password(name, password):
            diary.write("failed", caller.address, name)
            return math.ceil(wait)
        self._failures.succeed(caller.address, name)
        return None

    def log_out(self, caller: Caller) -> None:
        if caller.session is not None:
            self._accounts.end_session(caller.session.id)
