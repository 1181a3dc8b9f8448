"""Keys, users and browsers for tests of who may what."""

import asyncio
import re
from typing import Any

import httpx
from fastapi import FastAPI

from api.access.accounts import Accounts
from api.access.people import Key, User
from api.access.principal import Role, Scope

PASSWORD = "correct horse battery"
ORIGIN = "http://127.0.0.1:8338"


def key(app: FastAPI, *scopes: Scope, networks: tuple[str, ...] = (), sees_custom: bool = True) -> str:
    """Make a key, and give its secret."""
    accounts: Accounts = app.state.accounts
    name = f"key-{len(accounts.all_keys())}"
    return accounts.add_key(Key("", name, frozenset(scopes), networks, sees_custom))[0]


def user(app: FastAPI, name: str = "alice", role: Role = Role.ANALYST, networks: tuple[str, ...] = ()) -> User:
    accounts: Accounts = app.state.accounts
    return accounts.add_user(User(name, role, networks), PASSWORD)


class Browser:
    """Keeps cookies, says where requests come from, and does not go on by itself."""

    def __init__(self, app: FastAPI, address: str = "203.0.113.5", origin: str = ORIGIN) -> None:
        self._app = app
        self._address = address
        self.origin = origin
        self.cookies = httpx.Cookies()

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Origin": self.origin, **options.pop("headers", {})}
        if headers["Origin"] == "":
            del headers["Origin"]

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, client=(self._address, 40000), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self.origin, cookies=self.cookies) as client:
                answer = await client.request(method, path, headers=headers, **options)
                self.cookies = client.cookies
                return answer

        return asyncio.run(ask())

    def log_in(self, name: str = "alice", password: str = PASSWORD, target: str = "/") -> httpx.Response:
        return self.post("/login", data={"user": name, "password": password, "next": target})

    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/").text)
        assert found, "the page has no token"
        return found[1]
