import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.answers import CheckedValue
from api.lookup import Explanation, FoundTrail
from api.translate import checked
from stores.contract import Store
from tests.api.client import AppClient, refused
from tests.api.trails import DictLookup
from trailhound.trail import Trail, TrailClass, TrailKind


def test_trails_that_were_met_are_counted(client: AppClient, filled: Store) -> None:
    found = client.json("/api/v1/trails", limit=2)
    assert found["total"] == 3
    assert found["trails"] == [
        {"trail": "45.155.205.233", "count": 100, "severity": "low"},
        {"trail": "evil.example", "count": 8, "severity": "critical"},
    ]


def test_a_check_tells_the_key_and_the_trail(client: AppClient) -> None:
    [result] = client.json("/api/v1/trails/check", value="WWW.Evil.example.")["results"]
    assert result["value"] == "WWW.Evil.example."
    assert result["found"] is True
    assert result["readings"] == [{"kind": "domain", "canonical": "www.evil.example"}]
    [match] = result["matches"]
    assert (match["key"], match["trail"], match["class"]) == ("evil.example", "evil.example", "c2")
    assert match["first_seen"] == "2023-11-14T22:13:20.000000Z"
    assert (match["custom"], match["hidden"]) == (False, None)


def test_a_whitelisted_value_is_not_found_and_says_why(client: AppClient) -> None:
    [result] = client.json("/api/v1/trails/check", value="good.evil.example")["results"]
    assert result["found"] is False
    assert result["matches"]
    assert "whitelist" in result["whitelisted"]


def test_many_values_are_answered_in_order(client: AppClient) -> None:
    values = [f"host{n}.example" for n in range(99)] + ["45.155.205.233"]
    results = client.json("/api/v1/trails/check", value=values)["results"]
    assert [result["value"] for result in results] == values
    assert [result["found"] for result in results] == [False] * 99 + [True]


def test_an_answer_says_of_each_trail_whether_it_is_ones_own_and_what_hides_it() -> None:
    trail = Trail(TrailKind.DOMAIN, "evil.example", "x", TrailClass.C2, ("own",), custom=True)
    found = FoundTrail("evil.example", trail, "expired 2026-01-01 00:00 UTC")
    answer = checked(Explanation("evil.example", (), [found]))
    (match,) = answer.matches
    assert (match.custom, match.hidden) == (True, "expired 2026-01-01 00:00 UTC")


@pytest.mark.parametrize("values", [[], [""], ["x" * 2049], ["a.example"] * 101])
def test_values_to_check_are_bounded(client: AppClient, values: list[str]) -> None:
    assert refused(client.get("/api/v1/trails/check", {"value": values}), 422)["errors"][0]["parameter"] == "value"


@given(value=st.text(min_size=1, max_size=60).filter(lambda text: text.encode("utf-8", "ignore").decode() == text))
def test_whatever_is_asked_is_answered(value: str) -> None:
    [explained] = DictLookup([]).explain([value])
    answer = checked(explained)
    assert CheckedValue.model_validate_json(answer.model_dump_json(by_alias=True)) == answer


def test_the_trail_set_tells_its_size(client: AppClient) -> None:
    found = client.json("/api/v1/trails/info")
    assert found["trails"] == 2
    assert found["by_class"] == {"c2": 1, "scanner": 1}
    assert found["built"] == "2025-10-01T02:59:00.000000Z"
