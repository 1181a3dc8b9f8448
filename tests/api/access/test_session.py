"""Logging in, staying in, and being put out."""

import pytest
from fastapi import FastAPI

from api.access.accounts import Accounts, Lasting
from api.access.entry import Entry
from api.access.failures import Failures
from api.access.principal import Role
from api.routes.session import local
from stores.contract import Store
from tests.api.access.people import PASSWORD, Browser, user
from tests.api.client import AppClient, refused

COOKIE = "trailhound_session"


@pytest.fixture
def browser(app: FastAPI) -> Browser:
    user(app)
    return Browser(app)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(app: FastAPI) -> Clock:
    """Let the accounts go by a clock of the test."""
    clock = Clock()
    app.state.accounts.close()
    app.state.accounts = Accounts(
        app.state.settings.state_dir / "accounts.sqlite", lasting=Lasting(whole=7200, idle=600), clock=clock
    )
    app.state.entry = Entry(app.state.accounts, Failures(clock))
    return clock


def test_a_person_logs_in_and_returns_to_where_they_were(browser: Browser, filled: Store) -> None:
    sent = browser.get("/?period=7d&refresh=off")
    assert sent.status_code == 303
    assert sent.headers["location"] == "/login?next=%2F%3Fperiod%3D7d%26refresh%3Doff"
    form = browser.get(sent.headers["location"])
    assert 'value="/?period=7d&amp;refresh=off"' in form.text
    assert "<script" not in form.text
    entered = browser.log_in(target="/?period=7d&refresh=off")
    assert (entered.status_code, entered.headers["location"]) == (303, "/?period=7d&refresh=off")
    assert "evil.example" in browser.get("/?period=all").text
    assert browser.get("/login").status_code == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Browser) -> None:
    (cookie,) = browser.log_in().headers.get_list("set-cookie")
    assert cookie.startswith(f"{COOKIE}=")
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert "domain" not in cookie.lower()


def test_over_tls_the_cookie_is_bound_to_this_host_and_to_tls(app: FastAPI) -> None:
    user(app)
    browser = Browser(app, origin="https://127.0.0.1:8338")
    (cookie,) = browser.log_in().headers.get_list("set-cookie")
    assert cookie.startswith("__Host-trailhound_session=")
    assert "secure" in cookie.lower()
    assert browser.get("/api/v1/session").status_code == 200


def test_what_is_kept_is_no_session_and_no_password(browser: Browser, app: FastAPI) -> None:
    browser.log_in()
    token = browser.cookies[COOKIE]
    assert len(token) >= 43
    folder = app.state.settings.state_dir
    kept = b"".join(path.read_bytes() for path in folder.glob("accounts.sqlite*"))
    assert b"alice" in kept
    assert token.encode() not in kept
    assert PASSWORD.encode() not in kept
    assert b"$argon2id$" in kept
    for path in folder.glob("accounts.sqlite*"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize(("name", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("alice", ""), ("", "")])
def test_a_wrong_name_and_a_wrong_password_look_the_same(browser: Browser, name: str, password: str) -> None:
    answer = browser.log_in(name, password)
    assert answer.status_code == 403
    assert "User name or password is wrong." in answer.text
    assert "set-cookie" not in answer.headers


def test_a_session_from_before_the_log_in_is_not_the_one_after(browser: Browser, app: FastAPI) -> None:
    browser.cookies.set(COOKIE, "planted-by-somebody", domain="127.0.0.1")
    browser.log_in()
    first = next(cookie.value for cookie in browser.cookies.jar if cookie.value != "planted-by-somebody")
    assert first
    browser.cookies.clear()
    browser.cookies.set(COOKIE, first, domain="127.0.0.1")
    browser.log_in()
    old = Browser(app)
    old.cookies.set(COOKIE, first, domain="127.0.0.1")
    refused(old.get("/api/v1/session"), 401)


def test_leaving_ends_the_session_on_the_server(browser: Browser, app: FastAPI) -> None:
    browser.log_in()
    token, csrf = browser.cookies[COOKIE], browser.csrf()
    refused(browser.post("/logout", data={"csrf": "wrong"}), 403)
    assert browser.post("/logout", data={"csrf": csrf}).headers["location"] == "/login"
    thief = Browser(app)
    thief.cookies.set(COOKIE, token, domain="127.0.0.1")
    refused(thief.get("/api/v1/events"), 401)


def test_a_session_ends_when_it_is_old_or_idle(app: FastAPI, clock: Clock) -> None:
    user(app)
    browser = Browser(app)
    browser.log_in()
    for _ in range(13):
        clock.now += 540
        assert browser.get("/api/v1/session").status_code == 200
    clock.now += 300
    assert "ended" in refused(browser.get("/api/v1/session"), 401)["detail"]
    browser.log_in()
    clock.now += 601
    refused(browser.get("/api/v1/session"), 401)
    assert browser.get("/").headers["location"] == "/login"


@pytest.mark.parametrize("how", ["revoked", "password", "removed"])
def test_a_session_that_is_ended_elsewhere_ends_at_once(browser: Browser, app: FastAPI, how: str) -> None:
    browser.log_in()
    assert browser.get("/api/v1/session").status_code == 200
    # Another process, such as the command line.
    elsewhere = Accounts(app.state.settings.state_dir / "accounts.sqlite")
    match how:
        case "revoked":
            (session,) = elsewhere.sessions("alice")
            elsewhere.end_session(session.id)
        case "password":
            elsewhere.set_password("alice", "another long password")
        case _:
            elsewhere.remove_user("alice")
    elsewhere.close()
    refused(browser.get("/api/v1/session"), 401)


def test_what_a_user_may_changes_with_the_next_request(browser: Browser, app: FastAPI) -> None:
    browser.log_in()
    refused(browser.get("/api/v1/users"), 403)
    app.state.accounts.change_user("alice", lambda one: one.__class__(one.name, Role.ADMIN))
    assert browser.get("/api/v1/users").status_code == 200


def test_changing_anything_needs_the_token_of_the_session(browser: Browser) -> None:
    browser.log_in()
    body = {"old": PASSWORD, "new": "another long password"}
    for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "x" * 43}, {"X-CSRF-Token": b"\xfc"}):
        refused(browser.request("PUT", "/api/v1/session/password", json=body, headers=headers), 403)
    csrf = browser.csrf()
    other = Browser(browser._app)
    user(browser._app, "bob")
    other.log_in("bob")
    refused(other.request("PUT", "/api/v1/session/password", json=body, headers={"X-CSRF-Token": csrf}), 403)
    done = browser.request("PUT", "/api/v1/session/password", json=body, headers={"X-CSRF-Token": csrf})
    assert done.status_code == 204
    refused(browser.get("/api/v1/session"), 401)
    assert browser.log_in(password="another long password").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        *({"Origin": "http://attacker.example"}, {"Origin": "null"}, {"Origin": "https://127.0.0.1:8338"}),
        *({"Origin": "http://127.0.0.1:9999"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}),
    ],
)
def test_pages_of_other_origins_change_nothing_and_log_nobody_in(browser: Browser, headers: dict[str, str]) -> None:
    form = {"user": "alice", "password": PASSWORD}
    refused(browser.post("/login", data=form, headers=headers), 403)
    browser.log_in()
    csrf = browser.csrf()
    refused(browser.post("/logout", data={"csrf": csrf}, headers=headers), 403)
    body = {"old": PASSWORD, "new": "another long password"}
    headers = {**headers, "X-CSRF-Token": csrf}
    refused(browser.request("PUT", "/api/v1/session/password", json=body, headers=headers), 403)
    assert browser.get("/api/v1/session").status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_foreign_form_can_send_is_no_body_of_ours(client: AppClient, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    body = b'{"name": "eve", "password": "correct horse battery"}'
    refused(client.request("POST", "/api/v1/users", content=body, headers=headers), 415)


@pytest.mark.parametrize(
    "target",
    [
        *(
            "//attacker.example",
            "https://attacker.example",
            "/\\attacker.example",
            "\\\\attacker.example",
            "javascript:1",
        ),
        *("/\t/attacker.example", "/\r\nSet-Cookie: a=b", "attacker.example", "", "/login", "/logout", "///x", "/ü"),
        "javascript:1",
    ],
)
def test_the_way_back_leads_to_pages_of_ours_only(browser: Browser, target: str) -> None:
    assert local(target) == "/"
    assert browser.log_in(target=target).headers["location"] == "/"


def test_a_hostile_name_is_text(browser: Browser) -> None:
    answer = browser.log_in('"><script>alert(1)</script>\u202e', "x")
    assert "<script" not in answer.text
    assert "\u202e" not in answer.text


def test_a_form_is_bounded(browser: Browser) -> None:
    refused(browser.post("/login", data={"user": "x" * 10_000, "password": "x"}), 413)
    refused(browser.post("/login", content=b"&".join(b"a=1" for _ in range(50)), headers=FORM), 400)
    refused(browser.post("/login", content=b"user=%ff", headers=FORM), 400)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_session_knows_who_it_is(browser: Browser, client: AppClient) -> None:
    browser.log_in()
    me = browser.get("/api/v1/session").json()
    assert (me["name"], me["kind"], me["scopes"]) == ("alice", "user", ["lists", "read", "triage"])
    assert client.json("/api/v1/session")["csrf"] is None
