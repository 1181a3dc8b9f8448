from typing import Any

import httpx
import pytest

from stores.desk import Desk
from tests.api.client import AppClient, refused

PLACE = "/api/v1/cleared"


def clear(client: AppClient, address: str = "45.155.205.233", headers: Any = None) -> httpx.Response:
    return client.request("POST", PLACE, json={"address": address, "reason": "reinstalled"}, headers=headers)


def test_a_host_is_cleared_again_and_forgotten(client: AppClient, desk: Desk) -> None:
    answer = clear(client, "::ffff:45.155.205.233")
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{PLACE}/45.155.205.233"
    assert [one.address for one in desk.all_cleared()] == ["45.155.205.233"]
    assert clear(client).headers["etag"] == '"2"', "again needs no version: what counts is the last time"
    assert client.json(f"{PLACE}/45.155.205.233")["version"] == 2
    assert [one["version"] for one in client.json(PLACE)["cleared"]] == [2]
    refused(client.request("DELETE", answer.headers["location"]), 428)
    refused(client.request("DELETE", answer.headers["location"], headers={"If-Match": '"1"'}), 412)
    assert client.request("DELETE", answer.headers["location"], headers={"If-Match": '"2"'}).status_code == 200
    assert desk.all_cleared() == []
    refused(client.get(answer.headers["location"]), 404)


@pytest.mark.parametrize("address", ["evil.example", "45.155.205.0/24", "", "x" * 65, "1.2.3.4\n"])
def test_only_an_address_is_a_host(client: AppClient, address: str) -> None:
    answer = clear(client, address)
    if address.strip() == "1.2.3.4":
        assert answer.status_code == 201
    else:
        assert refused(answer, 422)["errors"][0]["parameter"] == "address"


def test_hosts_come_page_by_page(client: AppClient) -> None:
    for number in range(3):
        clear(client, f"45.155.205.{number}")
    first = client.json(PLACE, limit=2)
    rest = client.json(PLACE, limit=2, cursor=first["next"])
    assert [one["address"] for one in (*first["cleared"], *rest["cleared"])] == [f"45.155.205.{n}" for n in range(3)]
    assert rest["next"] is None
