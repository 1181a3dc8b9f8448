"""A client that calls the application without a network, from any address."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from fastapi import FastAPI

from api.access.people import Key
from api.access.principal import ALL

Params = Mapping[str, Any] | Sequence[tuple[str, str]] | None


class AppClient:
    """Ask an application as a client of the given address would, with a key that may everything unless told otherwise.

    `key` is another one; with the empty key nothing is sent.
    """

    def __init__(self, app: FastAPI, address: str = "127.0.0.1", *, key: str | None = None) -> None:
        self.app = app
        self._address = address
        self._key = key

    def at(self, address: str) -> "AppClient":
        return AppClient(self.app, address, key=self._key)

    def with_key(self, key: str) -> "AppClient":
        return AppClient(self.app, self._address, key=key)

    @property
    def anonymous(self) -> "AppClient":
        return self.with_key("")

    @property
    def _credentials(self) -> dict[str, str]:
        key = self._key
        if key is None:
            accounts = self.app.state.accounts
            if getattr(accounts, "key_of_tests", None) is None:
                accounts.key_of_tests, _ = accounts.add_key(Key("", "tests", ALL))
            key = accounts.key_of_tests
        return {"X-Api-Key": key} if key else {}

    def get(self, path: str, params: Params = None, headers: Any = None) -> httpx.Response:
        return self.request("GET", path, params=params, headers=headers)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(self._address, 40000), raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:8338", headers=self._credentials
            ) as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())

    def json(self, path: str, **params: Any) -> Any:
        """Ask for what has to be there."""
        answer = self.get(path, {name.rstrip("_"): value for name, value in params.items()})
        assert answer.status_code == 200, answer.text
        return answer.json()


def refused(answer: httpx.Response, status: int) -> Any:
    """Check that an answer is a problem document of this status, and give it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["detail"]
    assert "Traceback" not in answer.text
    return problem
