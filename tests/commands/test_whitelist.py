"""`trailhound whitelist`."""

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from matchers import exceptions
from matchers.exceptions import Exemption
from stores.desk import open_desk
from stores.desk.contract import AuditQuery
from tests.commands.conftest import Ran, Trailhound
from tests.commands.test_scan import ESCAPE
from tests.ingest.living import name


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def expired(state: Path) -> Exemption:
    """Keep an entry that ran out long ago."""
    state.mkdir()
    past = datetime(2020, 1, 1, tzinfo=UTC)
    entry = Exemption(1, "a test", "me", past, value="old.example", until=past)
    return exceptions.add(exceptions.path_in(state), entry)


def added(trailhound: Trailhound, state: Path, *arguments: object) -> Ran:
    return trailhound("whitelist", "add", *arguments, "--reason", "ours", "--state", state)


def listed(trailhound: Trailhound, state: Path, *arguments: object) -> list[dict[str, Any]]:
    ran = trailhound("whitelist", "list", "--json", "--state", state, *arguments)
    assert ran.status == 0
    return [json.loads(line) for line in ran.out.splitlines()]


def test_what_is_added_is_listed_with_who_when_and_why(trailhound: Trailhound, state: Path) -> None:
    assert "there are no exceptions" in trailhound("whitelist", "list", "--state", state).out
    ran = added(trailhound, state, "WWW.Ours.example.")
    assert (ran.status, ran.out) == (0, "entry 1: hide www.ours.example and all below it, always\n")
    (entry,) = listed(trailhound, state)
    assert entry["added"] <= exceptions.utc_now().isoformat()
    assert entry["by"]
    assert {key: entry[key] for key in ("id", "value", "trail", "level", "until", "expired", "reason")} == {
        "id": 1,
        "value": "www.ours.example",
        "trail": None,
        "level": "hide",
        "until": None,
        "expired": False,
        "reason": "ours",
    }
    text = trailhound("whitelist", "list", "--state", state).out
    assert "hide www.ours.example and all below it" in text
    assert "ours" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--trail", "evil.example"], "hide trail evil.example, always"),
        (["--trail", "evil.example", "--source", "10.1.2.3/8"], "hide trail evil.example from 10.0.0.0/8, always"),
        (["203.0.113.9", "--never-block"], "never block 203.0.113.9, always"),
        (["a.example", "--until", "2999-01-31T12:00Z"], "all below it, until 2999-01-31 12:00 UTC"),
        (["a.example", "--until", "2999-01-31T12:00+02:00"], "all below it, until 2999-01-31 10:00 UTC"),
        (["a.example", "--until", "2999-01-31"], "all below it, until 2999-01-31 00:00 UTC"),
        (["a.example", "--until", "7d"], "all below it, until "),
    ],
)
def test_every_kind_of_exception_can_be_added(
    trailhound: Trailhound, state: Path, arguments: list[str], said: str
) -> None:
    ran = added(trailhound, state, *arguments)
    assert ran.status == 0, ran.err
    assert said in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "one of value and trail was expected"),
        (["a b"], "value: a name, an address or a network was expected, not 'a b'"),
        (["a.example", "--source", "10.0.0.1"], "source: a trail was expected with it"),
        (["--trail", "a.example", "--source", "me"], "source: an address or a network was expected, not 'me'"),
        (["a.example", "--never-block"], "value: an address or a network was expected, not 'a.example'"),
        (["a.example", "--until", "soon"], "--until: 7d, 12h or a time such as"),
        (["a.example", "--until", "99999w", "--never-block"], "an address or a network was expected"),
        (["a.example", "--until", "0001-01-01T00:00+14:00"], "--until: 7d, 12h or a time such as"),
        (["a.example", "--until", "2020-01-01"], "--until: a time that is still to come was expected"),
        (["a.example", "--until", "0d"], "--until: a time that is still to come was expected"),
        (["a.example", "--reason", " "], "--reason is missing"),
    ],
)
def test_what_is_no_exception_is_refused_and_nothing_is_kept(
    trailhound: Trailhound, state: Path, arguments: list[str], said: str
) -> None:
    reason = [] if "--reason" in arguments else ["--reason", "ours"]
    ran = trailhound("whitelist", "add", *arguments, *reason, "--state", state)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert listed(trailhound, state) == []


def test_a_removed_entry_is_gone_and_one_that_is_not_there_is_trouble(trailhound: Trailhound, state: Path) -> None:
    added(trailhound, state, "a.example")
    added(trailhound, state, "b.example")
    ran = trailhound("whitelist", "remove", 1, "--state", state)
    assert (ran.status, ran.out) == (0, "entry 1 is removed: hide a.example and all below it\n")
    assert [entry["id"] for entry in listed(trailhound, state)] == [2]
    ran = trailhound("whitelist", "remove", 1, "--state", state)
    assert ran.status == 2
    assert "there is no entry 1" in ran.err


def test_what_is_added_and_removed_stands_in_the_audit_log(trailhound: Trailhound, state: Path) -> None:
    added(trailhound, state, "ours.example")
    trailhound("whitelist", "remove", 1, "--state", state)
    with closing(open_desk(state)) as desk:
        removed, made = desk.audit(AuditQuery()).entries
    assert (made.action, removed.action) == ("exception.add", "exception.remove")
    assert made.object == removed.object == "exception/1"
    assert made.who == removed.who
    assert made.who.startswith("command line (")
    assert made.address == ""
    assert made.after == removed.before
    assert made.after is not None
    assert made.after["value"] == "ours.example"


def test_without_an_audit_log_a_change_is_made_and_that_is_said(trailhound: Trailhound, state: Path) -> None:
    added(trailhound, state, "ours.example")
    (state / "desk.sqlite").write_bytes(b"not a database at all" * 100)
    ran = added(trailhound, state, "more.example")
    assert ran.status == 0
    assert "this change does not stand in the audit log" in ran.out + ran.err
    assert [one["value"] for one in listed(trailhound, state)] == ["ours.example", "more.example"]


def test_an_expired_entry_is_shown_as_such_and_hides_nothing(
    trailhound: Trailhound, state: Path, expired: Exemption
) -> None:
    assert [entry["expired"] for entry in listed(trailhound, state)] == [True]
    assert "expired 2020-01-01 00:00 UTC" in trailhound("whitelist", "list", "--state", state).out
    ran = trailhound("whitelist", "explain", "www.old.example", "--state", state)
    assert ran.status == 0
    assert "'www.old.example': not hidden" in ran.out
    assert "old.example ran out" in ran.out


def test_lines_of_lists_are_shown_and_those_built_in_when_asked_for(
    trailhound: Trailhound, state: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("site.example # our site\n", "utf-8")
    config = tmp_path / "trailhound.toml"
    config.write_text(f'[trails]\nwhitelist = ["{tmp_path / "mine.txt"}"]\n', "utf-8")
    (line,) = listed(trailhound, state, "-c", config)
    assert (line["value"], line["reason"], line["place"]) == (
        "site.example",
        "our site",
        f"{tmp_path / 'mine.txt'}, line 1",
    )
    assert len(listed(trailhound, state, "-c", config, "--builtin")) > 100
    assert "our site" in trailhound("whitelist", "list", "-c", config, "--state", state).out
    ran = trailhound("whitelist", "explain", "a.site.example", "-c", config, "--state", state)
    assert ran.status == 1
    assert f"site.example is whitelisted, which hides trails that are no more exact than it ({tmp_path}" in ran.out


EXPLAINED = [
    ("www.ours.example", [], 1, "ours.example is whitelisted, which hides all trails for it and below it"),
    ("http://www.ours.example/x", [], 1, "ours.example is whitelisted"),
    ("ours.example.org", [], 0, "no entry is ours.example.org, or above it"),
    ("evil.example", [], 0, "the trail evil.example is hidden only from 10.0.0.0/8"),
    ("www.evil.example", ["--source", "10.9.9.9"], 1, "the trail evil.example is hidden from 10.0.0.0/8"),
    ("evil.example", ["--source", "192.0.2.1"], 0, "is hidden only from 10.0.0.0/8"),
    ("198.51.100.7", [], 1, "198.51.100.0/24 is whitelisted"),
    ("198.51.100.7:443", [], 1, "198.51.100.0/24 is whitelisted"),
    ("198.51.100.0/25", [], 1, "198.51.100.0/24 is whitelisted"),
    ("198.51.0.0/16", [], 0, "no entry is 198.51.0.0/16"),
    ("203.0.113.9", [], 0, "203.0.113.9 stands on no block list, but is not hidden"),
    ("192.0.2.77", [], 1, "the trail 192.0.2.0/24 is hidden"),
    ("ab" * 16, [], 1, "is hidden"),
]


def test_explain_names_the_entry_that_decides(trailhound: Trailhound, state: Path) -> None:
    added(trailhound, state, "ours.example")
    added(trailhound, state, "--trail", "evil.example", "--source", "10.0.0.0/8")
    added(trailhound, state, "198.51.100.0/24")
    added(trailhound, state, "203.0.113.9", "--never-block")
    added(trailhound, state, "--trail", "192.0.2.0/24")
    added(trailhound, state, "--trail", "AB" * 16)
    for value, options, status, said in EXPLAINED:
        ran = trailhound("whitelist", "explain", value, *options, "--state", state)
        assert (ran.status, said in ran.out) == (status, True), ran.out
        assert ran.out.startswith(f"{value!r}: {'hidden' if status else 'not hidden'}\n")


def test_a_source_that_is_none_is_trouble(trailhound: Trailhound, state: Path) -> None:
    ran = trailhound("whitelist", "explain", "a.example", "--source", "10.0.0.0/8", "--state", state)
    assert ran.status == 2
    assert "--source: an address was expected" in ran.err


def test_scans_and_look_ups_keep_to_exceptions(trailhound: Trailhound, state: Path, trails: Path, logs: Path) -> None:
    check = ("trails", "check", "--trails", trails, "--state", state, name(1))
    scan = ("scan", "--trails", trails, "--state", state, logs, "--json")
    assert trailhound(*check).status == 1
    before = trailhound(*scan).out
    added(trailhound, state, "--trail", name(1))
    ran = trailhound(*check)
    assert ran.status == 0
    assert f"does not count: {name(1)} is an exception" in ran.out
    after = trailhound(*scan).out
    assert name(1) in before
    assert name(2) in before
    assert name(1) not in after
    assert name(2) in after


def test_a_narrow_terminal_cuts_nothing_off(
    trailhound: Trailhound, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added(trailhound, state, f"{'a' * 60}.example")
    monkeypatch.setenv("COLUMNS", "60")
    out = trailhound("whitelist", "list", "--state", state).out
    assert out.count("a" * 3) > 1
    assert "…" not in out


def test_nothing_hostile_reaches_the_terminal_raw(trailhound: Trailhound, state: Path) -> None:
    assert trailhound("whitelist", "add", "a.example", "-r", "\x1b[2J\x9b", "--state", state).status == 0
    for arguments in (["list"], ["list", "--json"], ["explain", "a.example"], ["explain", "\x1b[2J"], ["remove", 1]):
        ran = trailhound("whitelist", *arguments, "--state", state)
        assert ran.status in (0, 1), ran.err
        assert not ESCAPE.search(ran.out)
