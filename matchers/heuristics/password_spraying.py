"""Password spraying: one host fails to log in as many users, or at many hosts, a few times each."""

from collections.abc import Iterator
from enum import StrEnum

from pydantic import Field

from matchers.findings import Found, Part, Technique, Thresholds
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.logins import PROTOCOLS, READS, Ended, logins_of
from matchers.heuristics.scans import Scans, Told
from matchers.heuristics.vertical import seconds, severity_of
from matchers.view import View
from trailhound.record import MICROSECONDS

_POINTS = (70, 80, 90)
_READS = {log: columns for log, columns in READS.items() if log != "rdp"}  # Of which failures are not seen.


class PasswordSpraying(Thresholds):
    """From where on failed log-ins are spraying."""

    users: int = Field(
        default=8,
        ge=2,
        le=1000,
        description="More users than these whose log-in failed: few people share one desk.",
    )
    hosts: int = Field(
        default=8,
        ge=2,
        le=1000,
        description="More hosts than these at which log-ins failed: who mistypes a password does so at one or two.",
    )
    seconds: int = Field(
        default=3600,
        ge=60,
        le=86_400,
        description="Within so many seconds; it goes slowly, lest it locks users out.",
    )


class _Of(StrEnum):
    USERS = "users"
    HOSTS = "hosts"


_Key = tuple[str, str, _Of]


class _Watcher:
    def __init__(self, thresholds: PasswordSpraying, surroundings: Surroundings) -> None:
        self._window = thresholds.seconds * MICROSECONDS
        self._surroundings = surroundings
        self._scans: dict[_Of, Scans[_Key, str]] = {
            of: Scans(self._window, threshold, surroundings.slack)
            for of, threshold in ((_Of.USERS, thresholds.users), (_Of.HOSTS, thresholds.hosts))
        }

    def held(self) -> int:
        return sum(map(len, self._scans.values()))

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        for login in view.once(logins_of):
            if login.ended is not Ended.BADLY:
                continue
            time, user = view.time(login.row), _bare(login.user)
            for of, item in ((_Of.USERS, user), (_Of.HOSTS, login.target)):
                key = (login.source, view.log, of)
                told = self._scans[of].add(key, item, time) if item else None
                if told is not None:
                    yield login.row, self._found(key, told)

    def _found(self, key: _Key, told: Told) -> Found:
        source, log, of = key
        points = _POINTS[min(told.level, len(_POINTS) - 1)]
        what = f"as {told.things:,} users" if of is _Of.USERS else f"at {told.things:,} hosts"
        return Found(
            said=f"failed to log in {what} over {PROTOCOLS[log]} in {seconds(told)} s",
            score=points,
            severity=severity_of(self._surroundings, source, told, is_sure=True),
            parts=(Part(of, points, f"log-ins over {PROTOCOLS[log]} failed {what}"),),
            count=told.tries,
            start=told.start,
            end=told.end,
            key=f"{source} {log} {of} {told.level}",
            window=self._window,
        )


def _bare(user: str) -> str:
    """Give the name of a user without realm and domain, as the same user has it everywhere."""
    return user.partition("/")[0].partition("@")[0].rpartition("\\")[2].lower()


PASSWORD_SPRAYING = Heuristic(
    name="password-spraying",
    title="password spraying",
    about="One host fails to log in as many users, or at many hosts, though only a few times each (SSH, FTP, NTLM,"
    " Kerberos).",
    reads=_READS,
    technique=Technique("T1110.003", "Brute Force: Password Spraying", "Credential Access"),
    thresholds=PasswordSpraying,
    start=_Watcher,
    false_positives=(
        "Terminal servers, mail and web gateways that log in for many people",
        "Administration that tries an old key or password on all hosts",
    ),
    silence="Mute `password-spraying` for the address of the gateway, or raise its `users` or `hosts`.",
    blind="Who is tried over SSH is encrypted: there only hosts count. Spraying from many addresses, or slower than the"
    " window.",
)
