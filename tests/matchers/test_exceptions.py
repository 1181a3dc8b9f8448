"""Exceptions: what they hide, whom they spare, when they run out, and the file that they stand in."""

import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers import exceptions
from matchers.engine import Engine
from matchers.exceptions import Exceptions, Exemption, Kept, Level
from matchers.networks import HomeNetworks
from matchers.observers import OBSERVERS
from matchers.whitelist import Whitelist
from tests.matchers.build import compiled, matched, record, trail, tsv
from trailhound.errors import SettingsError, SourceError, TrailError
from trailhound.record import Value
from trailhound.settings import HOME_NETWORKS
from trailhound.severity import Direction
from trailhound.trail import TrailKind as Kind

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
PATH = Path("exceptions.json")
TRAILS = compiled(
    trail(kind, text)
    for kind, text in (
        (Kind.DOMAIN, "evil.example"),
        (Kind.DOMAIN, "deep.evil.example"),
        (Kind.URL, "evil.example/bad"),
        (Kind.URL, "203.0.113.5/x"),
        (Kind.IPV4, "203.0.113.5"),
        (Kind.CIDR, "203.0.113.0/24"),
        (Kind.USER_AGENT_REGEX, "Evil[0-9]"),
    )
)


def entry(**changes: Any) -> Exemption:
    facts: dict[str, Any] = {"id": 1, "reason": "why", "by": "me", "added": NOW}
    return exceptions.checked(Exemption(**(facts | changes)))


def machine(*entries: Exemption, now: datetime = NOW) -> Engine:
    current = exceptions.in_force(entries, now)
    allowed = Whitelist(exceptions.whitelisted(current, PATH))
    return Engine(TRAILS, allowed, HomeNetworks(HOME_NETWORKS), exceptions=Exceptions(current, PATH))


def met(engine: Engine, log: str, fields: dict[str, Value], source: str | None = "10.0.5.7") -> list[str]:
    seen = OBSERVERS[log].observe(record(log, fields))
    return [meeting.trail.value for meeting in engine.rules.meet(seen, Direction.OUTBOUND, source)]


CASES: Sequence[tuple[dict[str, Any], str, dict[str, Value], list[str]]] = [
    ({"value": "evil.example"}, "dns", {"query": "a.evil.example"}, []),
    ({"value": "evil.example"}, "dns", {"query": "a.deep.evil.example"}, []),
    ({"value": "deep.evil.example"}, "dns", {"query": "evil.example"}, ["evil.example"]),
    ({"value": "deep.evil.example"}, "dns", {"query": "a.deep.evil.example"}, []),
    ({"value": "evil.example"}, "http", {"host": "evil.example", "uri": "/bad"}, []),
    ({"value": "203.0.113.0/24"}, "http", {"host": "203.0.113.5", "uri": "/x"}, []),
    ({"value": "203.0.113.0/24"}, "conn", {"id.resp_h": "203.0.113.5"}, []),
    ({"trail": "evil.example"}, "dns", {"query": "a.evil.example"}, []),
    ({"trail": "EVIL.example."}, "dns", {"query": "a.evil.example"}, []),
    ({"trail": "evil.example"}, "dns", {"query": "deep.evil.example"}, ["deep.evil.example"]),
    ({"trail": "deep.evil.example"}, "dns", {"query": "deep.evil.example"}, ["evil.example"]),
    ({"trail": "203.0.113.5"}, "conn", {"id.resp_h": "203.0.113.5"}, ["203.0.113.0/24"]),
    ({"trail": "Evil[0-9]"}, "http", {"host": "a.example", "user_agent": "evil7"}, []),
    ({"trail": "evil.example", "source": "10.0.5.7"}, "dns", {"query": "evil.example"}, []),
    ({"trail": "evil.example", "source": "10.0.5.0/24"}, "dns", {"query": "evil.example"}, []),
    ({"trail": "evil.example", "source": "10.0.6.0/24"}, "dns", {"query": "evil.example"}, ["evil.example"]),
    ({"trail": "evil.example", "source": "fd00::/8"}, "dns", {"query": "evil.example"}, ["evil.example"]),
    ({"source": "10.0.5.7", "level": Level.NEVER_BLOCK}, "dns", {"query": "evil.example"}, ["evil.example"]),
    ({"value": "203.0.113.5", "level": Level.NEVER_BLOCK}, "conn", {"id.resp_h": "203.0.113.5"}, ["203.0.113.5"]),
]


@pytest.mark.parametrize(("changes", "log", "fields", "expected"), CASES)
def test_an_exception_hides_what_it_names_and_no_more(
    changes: dict[str, Any], log: str, fields: dict[str, Value], expected: list[str]
) -> None:
    assert met(machine(entry(**changes)), log, fields) == expected


@pytest.mark.parametrize(("changes", "log", "fields", "expected"), CASES)
def test_an_expired_exception_changes_nothing(
    changes: dict[str, Any], log: str, fields: dict[str, Value], expected: list[str]
) -> None:
    expired = machine(entry(**changes, until=NOW))
    assert met(expired, log, fields) == met(machine(), log, fields) != []


def test_a_record_without_a_source_is_not_excepted_for_one() -> None:
    pair = entry(trail="evil.example", source="10.0.0.0/8")
    assert met(machine(pair), "dns", {"query": "evil.example"}, None) == ["evil.example"]


def test_the_narrowest_source_decides() -> None:
    everyone = Exceptions([entry(trail="evil.example", source="10.0.5.0/24"), entry(id=2, trail="evil.example")])
    assert "entry 1" in everyone.hides("evil.example", "10.0.5.7")
    assert "entry 2" in everyone.hides("evil.example", "10.0.6.7")
    assert "entry 2" in everyone.hides("evil.example")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "one of value and trail was expected"),
        ({"value": "a.example", "trail": "b.example"}, "one of value and trail was expected"),
        ({"value": "a.example", "source": "10.0.0.1"}, "source: a trail was expected with it"),
        ({"trail": "a.example", "source": "here"}, "source: an address or a network was expected, not 'here'"),
        ({"trail": "a.example", "source": "::/0"}, "source: a network that is not everything was expected"),
        ({"value": "not a name"}, "value: a name, an address or a network was expected"),
        ({"value": "0.0.0.0/0"}, "value: a network that is not everything was expected"),
        ({"trail": "a\x1b[2J"}, "trail: the value of a trail was expected"),
        ({"value": "a.example", "reason": " "}, "reason: a sentence"),
        ({"value": "a.example", "level": Level.NEVER_BLOCK}, "value: an address or a network was expected"),
        ({"trail": "a.example", "source": "10.0.0.1", "level": Level.NEVER_BLOCK}, "a block list knows addresses only"),
        ({"level": Level.NEVER_BLOCK}, "never-block: one of value and source was expected"),
    ],
)
def test_what_is_no_exception_is_refused_by_its_key(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(TrailError, match=reason.replace("[", r"\[")):
        entry(**changes)


def test_entries_are_kept_as_they_were_made_and_numbers_are_not_used_again(tmp_path: Path) -> None:
    path = exceptions.path_in(tmp_path)
    assert exceptions.load(path) == ()
    first = exceptions.add(path, entry(value="WWW.Example.", until=NOW + timedelta(days=1)))
    second = exceptions.add(path, entry(trail="evil.example", source="10.1.2.3/8"))
    assert (first.id, first.value, second.id, second.source) == (1, "www.example", 2, "10.0.0.0/8")
    assert exceptions.load(path) == (first, second)
    assert exceptions.remove(path, 2) == second
    assert exceptions.add(path, entry(value="a.example")).id == 3
    assert [kept.id for kept in exceptions.load(path)] == [1, 3]
    assert [file.name for file in tmp_path.iterdir()] == ["exceptions.json"]


def test_people_who_add_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = exceptions.path_in(tmp_path)
    with ThreadPoolExecutor(8) as people:
        made = list(people.map(lambda number: exceptions.add(path, entry(value=f"n{number}.example")), range(40)))
    assert sorted(one.id for one in made) == list(range(1, 41))
    assert sorted(exceptions.load(path), key=lambda one: one.value) == sorted(made, key=lambda one: one.value)


def test_a_link_that_somebody_left_is_not_written_through(tmp_path: Path) -> None:
    path, victim = exceptions.path_in(tmp_path), tmp_path / "victim"
    victim.write_text("precious", "utf-8")
    path.with_name(f"{path.name}.new").symlink_to(victim)
    exceptions.add(path, entry(value="a.example"))
    assert victim.read_text("utf-8") == "precious"
    assert len(exceptions.load(path)) == 1
    assert path.stat().st_mode & 0o007 == 0


def test_an_entry_that_is_not_there_cannot_be_removed(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no entry 7"):
        exceptions.remove(exceptions.path_in(tmp_path), 7)


GOOD = {"id": 4, "reason": "why", "by": "me", "added": "2026-01-05T12:00:00Z", "value": "a.example"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "cannot be read"),
        ('{"version": 2, "exceptions": []}', "are of version 2, version 1 was expected"),
        (json.dumps({"version": 1, "next": 1, "exceptions": [GOOD | {"untill": "2026"}]}), "unknown field `untill`"),
        (json.dumps({"version": 1, "next": 1, "exceptions": [GOOD | {"added": "2026-01-05T12:00:00"}]}), "timezone"),
        (json.dumps({"version": 1, "next": 1, "exceptions": [GOOD | {"value": "a b"}]}), "entry 4: value: a name"),
        (json.dumps({"version": 1, "next": 1, "exceptions": [GOOD | {"level": "never"}]}), "never"),
    ],
)
def test_a_file_that_is_damaged_is_named_with_the_reason(tmp_path: Path, content: str, reason: str) -> None:
    path = exceptions.path_in(tmp_path)
    path.write_text(content, "utf-8")
    with pytest.raises(SourceError, match=reason) as raised:
        exceptions.load(path)
    assert str(path) in str(raised.value)
    with pytest.raises(SourceError):
        exceptions.add(path, entry(value="b.example"))
    assert path.read_text("utf-8") == content


def test_what_was_read_is_kept_until_the_file_is_another(tmp_path: Path) -> None:
    path = exceptions.path_in(tmp_path)
    kept = Kept(path)
    assert kept.entries() == ()
    first = exceptions.add(path, entry(value="a.example"))
    assert kept.entries() == (first,)
    assert kept.entries() is kept.entries()
    exceptions.remove(path, 1)
    assert kept.entries() == ()


names = st.sampled_from(["evil.example", "deep.evil.example", "203.0.113.5", "203.0.113.0/24", "example"])
sources = st.sampled_from(["", "10.0.5.7", "10.0.0.0/8", "fd00::/8"])
entries = st.builds(
    lambda value, source, scope, minutes: entry(
        **({"value": value} if scope else {"trail": value, "source": source}),
        until=NOW + timedelta(minutes=minutes) if minutes else None,
    ),
    names,
    sources,
    st.booleans(),
    st.integers(-3, 3),
)


@given(st.lists(entries, max_size=6))
def test_the_expired_are_as_good_as_removed(made: list[Exemption]) -> None:
    current = [one for one in made if one.until is None or one.until > NOW]
    seen: list[tuple[str, dict[str, Value]]] = [
        ("dns", {"query": "x.deep.evil.example", "answers": ["203.0.113.5"]}),
        ("http", {"host": "evil.example", "uri": "/bad", "id.resp_h": "203.0.113.9"}),
    ]
    for log, fields in seen:
        assert met(machine(*made), log, fields) == met(machine(*current), log, fields)


@given(st.lists(entries, max_size=4), entries, st.integers(0, 4))
def test_an_entry_that_was_removed_changes_nothing(made: list[Exemption], gone: Exemption, place: int) -> None:
    fields: dict[str, Value] = {"query": "deep.evil.example", "answers": ["203.0.113.5"]}
    with tempfile.TemporaryDirectory() as folder:
        path = exceptions.path_in(Path(folder))
        kept = [exceptions.add(path, one) for one in made[:place]]
        number = exceptions.add(path, gone).id
        kept += [exceptions.add(path, one) for one in made[place:]]
        exceptions.remove(path, number)
        left = exceptions.load(path)
    assert list(left) == kept
    assert met(machine(*left), "dns", fields) == met(machine(*made), "dns", fields)


def test_the_engine_judges_by_the_source_of_each_record() -> None:
    pair = machine(entry(trail="evil.example", source="10.0.5.0/24"))
    types = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.resp_h": "addr", "query": "string"}
    rows = [(f"{number}.0", f"C{number}", f"10.0.{number}.7", "192.0.2.1", "evil.example") for number in range(4, 7)]
    found = matched(pair, "zeek-tsv", tsv("dns", types, rows), "dns.log").events
    assert sorted(event.source_ip or "" for event in found) == ["10.0.4.7", "10.0.6.7"]
