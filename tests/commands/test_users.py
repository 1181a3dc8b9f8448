import io
import json
import sys
from pathlib import Path

import pytest

from api.access.accounts import Accounts
from api.access.principal import Scope
from stores.desk import open_desk
from stores.desk.contract import AuditQuery
from tests.commands.conftest import Trailhound
from trailhound.commands import users
from trailhound.settings import Api, Settings

STATE = "--state"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def password(said: str) -> str:
    return next(line.strip() for line in said.splitlines() if line.startswith("  "))


def test_a_user_is_added_with_a_password_that_is_shown_once(trailhound: Trailhound, state: Path) -> None:
    done = trailhound("users", "add", "alice", "--role", "analyst", "--network", "10.1.2.3/16", STATE, state)
    assert done.status == 0
    assert Accounts(state / "accounts.sqlite").is_password("alice", password(done.out))
    listed = trailhound("users", "list", STATE, state).out
    assert "alice" in listed
    assert "10.1.0.0/16" in listed
    assert password(done.out) not in listed
    (user,) = json.loads(trailhound("users", "list", "--json", STATE, state).out)
    assert (user["role"], user["networks"]) == ("analyst", ["10.1.0.0/16"])
    assert trailhound("users", "add", "alice", STATE, state).status == 2


def test_a_password_is_changed_and_all_sessions_end(
    trailhound: Trailhound, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trailhound("users", "add", "alice", STATE, state)
    accounts = Accounts(state / "accounts.sqlite")
    token, _ = accounts.open_session("alice", "")
    assert accounts.session(token)
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse battery\n"))
    assert trailhound("users", "passwd", "alice", "--stdin", STATE, state).status == 0
    assert accounts.is_password("alice", "correct horse battery")
    assert accounts.session(token) is None
    for given, said in (("short\n", "12 to 256 characters"), ("two\nlines of text\n", "one line")):
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        failed = trailhound("users", "passwd", "alice", "--stdin", STATE, state)
        assert failed.status == 2
        assert said in failed.err


def test_a_user_is_removed(trailhound: Trailhound, state: Path) -> None:
    trailhound("users", "add", "alice", STATE, state)
    assert trailhound("users", "remove", "alice", STATE, state).status == 0
    assert "There are no users." in trailhound("users", "list", STATE, state).out
    failed = trailhound("users", "remove", "alice", STATE, state)
    assert (failed.status, failed.err) == (2, "trailhound: there is no user alice\n")


@pytest.mark.parametrize("name", ["", "a b", "a\x1b[31m", "x" * 65, "ü"])
def test_a_name_that_would_deceive_is_refused(trailhound: Trailhound, state: Path, name: str) -> None:
    failed = trailhound("users", "add", name, STATE, state)
    assert failed.status == 2
    assert "\x1b" not in failed.err


def test_changes_stand_in_the_audit_log_without_secrets(trailhound: Trailhound, state: Path) -> None:
    said = trailhound("users", "add", "alice", STATE, state).out + trailhound("keys", "add", "soar", STATE, state).out
    trailhound("keys", "revoke", "soar", STATE, state)
    entries = open_desk(state).audit(AuditQuery(), limit=10).entries
    assert [entry.action for entry in entries] == ["key.revoke", "key.add", "user.add"]
    secrets = [line.strip() for line in said.splitlines() if line.startswith("  ")]
    assert len(secrets) == 2
    assert not any(secret in str(entries) for secret in secrets)


def test_a_key_is_made_listed_and_revoked(trailhound: Trailhound, state: Path) -> None:
    arguments = ("keys", "add", "fw", "--scope", "lists", "--scope", "read", "--expires", "90", "--json")
    made = json.loads(trailhound(*arguments, STATE, state).out)
    accounts = Accounts(state / "accounts.sqlite")
    found = accounts.key(made["secret"])
    assert found is not None
    assert found.scopes == {Scope.LISTS, Scope.READ}
    assert found.expires is not None
    assert found.expires - found.created == pytest.approx(90 * 86_400, abs=5)
    listed = trailhound("keys", "list", STATE, state).out
    assert "fw" in listed
    assert made["secret"] not in listed
    assert trailhound("keys", "revoke", found.id, STATE, state).status == 0
    assert accounts.key(made["secret"]) is None
    assert trailhound("keys", "revoke", "fw", STATE, state).status == 2
    assert trailhound("keys", "add", "fw", "--expires", "soon", STATE, state).status == 2


def test_the_first_admin_is_shown_once(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(state_dir=state)
    users.first_admin(settings)
    shown = capsys.readouterr()
    assert shown.out == ""
    secret = next(line.split()[1] for line in shown.err.splitlines() if line.strip().startswith("password"))
    assert Accounts(state / "accounts.sqlite").is_password("admin", secret)
    users.first_admin(settings)
    assert capsys.readouterr().err == ""


def test_where_everybody_may_come_nobody_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    users.first_admin(Settings(state_dir=tmp_path, api=Api(access="open")))
    assert capsys.readouterr().err == ""
    assert not (tmp_path / "accounts.sqlite").exists()
