"""The commands of the documentation's part on acting, sent as they stand there."""

import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from stores.contract import Query, Store
from tests.api.client import AppClient

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
THREAT, DECISION = "0f2a5b6c7d8e9f01", "5f0c1d2e3f405162"


def commands() -> list[list[str]]:
    text = PAGE.read_text("utf-8").partition("\n## Acting\n")[2].partition("\n## ")[0]
    return [shlex.split(line)[1:] for line in re.findall(r"^\$ (curl .*)$", text, re.MULTILINE)]


def send(client: AppClient, arguments: list[str]) -> httpx.Response:
    method, headers, body, url = "", {}, None, ""
    words = iter(arguments)
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d":
                body = next(words)
            case _:
                url = word
    assert headers.pop("Authorization") == "Bearer $KEY"
    parts = urlsplit(url)
    return client.request(
        method or ("POST" if body else "GET"),
        f"{parts.path}?{parts.query}".rstrip("?"),
        headers=headers,
        content=body,
    )


def test_every_command_does_what_it_says(client: AppClient, filled: Store) -> None:
    threat = filled.threats(Query()).threats[0].id
    decision = ""
    sent = []
    for arguments in commands():
        answer = send(client, [word.replace(THREAT, threat).replace(DECISION, decision) for word in arguments])
        assert answer.is_success, (arguments, answer.text)
        if answer.request.url.path == "/api/v1/decisions":
            decision = answer.json()["id"]
        sent.append((answer.request.method, answer.request.url.path.split("/")[3]))
    assert sent == [
        ("PATCH", "threats"),
        ("POST", "decisions"),
        ("DELETE", "decisions"),
        ("POST", "cleared"),
        ("POST", "custom-trails"),
        ("POST", "exceptions"),
        ("GET", "audit"),
    ]
    assert answer.json()["entries"][0]["action"] == "decision.add"
