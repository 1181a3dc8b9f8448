"""Password guessing: one host fails to log in at another again and again; and what matters more, whether it got in."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import Field

from matchers.findings import Found, Part, Technique, Thresholds
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.logins import PROTOCOLS, READS, Ended, Login, logins_of
from matchers.heuristics.scans import GOING, Scans, Told
from matchers.heuristics.vertical import seconds, severity_of
from matchers.view import View
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity

_POINTS = (70, 80, 90)
_POINTS_UNSEEN = (50, 60, 70)
_MOST_USERS = 100  # Whose failures are remembered of one guesser.
_Key = tuple[str, str, str]
_Attempt = tuple[int, int]


class PasswordGuessing(Thresholds):
    """From where on failed log-ins are guesses."""

    failures: int = Field(
        default=10,
        ge=2,
        le=1000,
        description="More failed log-ins than these at one host: who forgot a password gives up or asks before.",
    )
    connections: int = Field(
        default=30,
        ge=5,
        le=10_000,
        description="More connections than these over RDP, whose log-ins are encrypted: a session takes one or two.",
    )
    seconds: int = Field(default=600, ge=10, le=86_400, description="Within so many seconds.")


@dataclass(slots=True)
class _Guesser:
    start: int
    latest: int
    failures: int
    users: set[str] = field(default_factory=set)


class _Watcher:
    def __init__(self, thresholds: PasswordGuessing, surroundings: Surroundings) -> None:
        self._window = thresholds.seconds * MICROSECONDS
        self._surroundings = surroundings
        self._failed: Scans[_Key, _Attempt] = Scans(self._window, thresholds.failures, surroundings.slack)
        self._unseen: Scans[_Key, _Attempt] = Scans(self._window, thresholds.connections, surroundings.slack)
        # Those that were told of, the stalest first.
        self._guessers: OrderedDict[_Key, _Guesser] = OrderedDict()

    def held(self) -> int:
        return len(self._failed) + len(self._unseen) + len(self._guessers)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        for login in view.once(logins_of):
            key, time = (login.source, login.target, view.log), view.time(login.row)
            if login.ended is Ended.WELL:
                guesser = self._got_in(key, login, time)
                if guesser is not None:
                    yield login.row, self._success(key, login, guesser, time)
                continue
            told = self._count(key, login, time)
            if told is not None:
                yield login.row, self._found(key, login, told)

    def _count(self, key: _Key, login: Login, time: int) -> Told | None:
        if login.ended is Ended.UNSEEN:
            return self._unseen.add(key, (login.port, 0), time)
        # Two sensors that see one connection count its attempts once. Within one SSH connection the attempts have no
        # times of their own; the other protocols log each.
        attempts = range(login.attempts) if key[2] == "ssh" else (time // MICROSECONDS,)
        told = None
        for attempt in attempts:
            told = self._failed.add(key, (login.port, attempt), time) or told
        self._remember(key, login, time, told)
        return told

    def _remember(self, key: _Key, login: Login, time: int, told: Told | None) -> None:
        guesser = self._guessers.get(key)
        if guesser is None:
            if told is None:
                return
            if len(self._guessers) >= GOING:
                self._guessers.popitem(last=False)
            guesser = self._guessers[key] = _Guesser(told.start, told.end, told.things - login.attempts)
        self._guessers.move_to_end(key)
        guesser.latest = max(guesser.latest, time)
        guesser.failures += login.attempts
        if len(guesser.users) < _MOST_USERS:
            guesser.users.add(login.user.lower())

    def _got_in(self, key: _Key, login: Login, time: int) -> _Guesser | None:
        """Give the guesser whose guess a log-in may be; it is told once."""
        guesser = self._guessers.get(key)
        if guesser is None or not guesser.start <= time <= guesser.latest + self._window:
            return None
        # Behind one address there may be many people; but not many who are one user.
        return self._guessers.pop(key) if login.user.lower() in guesser.users else None

    def _found(self, key: _Key, login: Login, told: Told) -> Found:
        source, target, log = key
        is_unseen, protocol = login.ended is Ended.UNSEEN, PROTOCOLS[log]
        what = f"{told.things:,} connections" if is_unseen else f"{told.things:,} failed log-ins"
        points = (_POINTS_UNSEEN if is_unseen else _POINTS)[min(told.level, len(_POINTS) - 1)]
        said = (
            f"opened {told.things:,} connections over {protocol} to {target} in {seconds(told)} s"
            if is_unseen
            else f"failed to log in at {target} over {protocol} {told.things:,} times in {seconds(told)} s"
        )
        return Found(
            said=said,
            score=points,
            severity=severity_of(self._surroundings, source, told, is_sure=not is_unseen),
            parts=(Part("connections" if is_unseen else "failures", points, f"{what} over {protocol}"),),
            count=told.tries,
            start=told.start,
            end=told.end,
            key=f"{source} {target} {log} {told.level}",
            window=self._window,
        )

    def _success(self, key: _Key, login: Login, guesser: _Guesser, time: int) -> Found:
        source, target, log = key
        who = f" as {login.user}" if login.user else ""
        failures = f"{guesser.failures:,} failures"
        return Found(
            said=f"logged in at {target} over {PROTOCOLS[log]}{who} after {failures}",
            score=85,
            severity=Severity.HIGH,
            title="password guessed",
            parts=(
                Part("failures", 70, f"{failures} before"),
                Part("success", 15, "then a log-in that succeeded"),
            ),
            start=guesser.start,
            end=max(time, guesser.latest),
            key=f"{source} {target} {log} success",
            window=self._window,
        )


PASSWORD_GUESSING = Heuristic(
    name="password-guessing",
    title="password guessing",
    about="One host fails to log in at another again and again (SSH, FTP, NTLM, Kerberos), or opens one remote desktop"
    " after the other; when it gets in at last, that is told as `password guessed`.",
    reads=READS,
    technique=Technique("T1110.001", "Brute Force: Password Guessing", "Credential Access"),
    thresholds=PasswordGuessing,
    start=_Watcher,
    false_positives=(
        "A service or a mapped drive that goes on with an expired password",
        "Many people behind one address (terminal servers, NAT)",
        "Vulnerability scanners, and monitoring that opens a remote desktop to see whether it is there",
    ),
    silence="Mute `password-guessing` for the address of the client, or raise its `failures`.",
    blind="Guesses slower than the window or from many addresses. Zeek tells success over SSH by sizes, and may be"
    " wrong; its ftp.log has no USER and PASS unless they are added to `FTP::logged_commands`. Suricata does not say"
    " how a log-in over SSH ended.",
)
