"""The first start, as a person sees it: real processes, a password on the screen, a log-in."""

import re
from collections.abc import Callable

import httpx

from tests.e2e.installation import Installation, Process, eventually
from tests.ingest.living import append, header, row

Start = Callable[..., Process]


def test_the_first_start_shows_a_password_that_opens_the_console(installation: Installation, start: Start) -> None:
    config = installation.root / "trailhound.toml"
    config.write_text("", "utf-8")
    append(installation.log, header() + row(0))
    process = start(*installation.run, "--config", config, access="accounts")
    url = process.url
    (password,) = re.findall(r"^  password  (\S+)$", process.said, re.MULTILINE)
    with httpx.Client(base_url=url) as client:
        assert client.get("/api/v1/events").status_code == 401
        assert client.get("/").headers["location"] == "/login"
        wrong = client.post("/login", data={"user": "admin", "password": "wrong"})
        assert wrong.status_code == 403
        entered = client.post("/login", data={"user": "admin", "password": password, "next": "/?period=7d"})
        assert entered.headers["location"] == "/?period=7d"
        eventually(lambda: len(client.get("/api/v1/events").json()["events"]) == 1)
        assert "Log out" in client.get("/").text
    said = start("keys", "add", "soar", "--state", installation.state)
    assert said.popen.wait(60) == 0
    (key,) = re.findall(r"^  (th_\S+)$", said.said, re.MULTILINE)
    assert httpx.get(f"{url}/api/v1/summary", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    revoked = start("keys", "revoke", "soar", "--state", installation.state)
    assert revoked.popen.wait(60) == 0
    assert httpx.get(f"{url}/api/v1/summary", headers={"Authorization": f"Bearer {key}"}).status_code == 401
    assert 'trailhound[login]: failed from 127.0.0.1 user "admin"' in process.said
    assert process.end() == 0
    again = start(*installation.run, "--config", config, access="accounts")
    assert again.url
    assert "password" not in again.said
    assert again.end() == 0


def test_an_open_api_is_refused_where_others_can_reach_it(installation: Installation, start: Start) -> None:
    process = start(*installation.run, "--host", "0.0.0.0")
    assert process.popen.wait(60) == 2
    assert "loopback" in process.said
