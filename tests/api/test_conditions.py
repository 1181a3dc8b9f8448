import pytest

from stores.contract import Store
from tests.api.client import AppClient, refused

HOSTILE = [
    "' OR '1'='1",
    "'; DROP TABLE events; --",
    '"; DROP TABLE events; --',
    "1) UNION SELECT sql FROM sqlite_master --",
    '{"$gt": ""}',
    "*:* OR _exists_:event.id",
    "%",
    "_____",
    "\\",
    "evil\x00.example",
    "../../../../etc/passwd",
    "{{ 7 * 7 }}",
    "<script>alert(1)</script>",
    "\N{RIGHT-TO-LEFT OVERRIDE}elpmaxe.live",
    "NEAR(evil example)",
    'evil" AND "example',
]
FREE_TEXT = ["trail", "info", "sensor", "dataset", "protocol", "q"]
CHOSEN = ["severity", "group", "kind", "class", "direction", "source", "destination", "since", "until"]
LISTS = [
    "/api/v1/events",
    "/api/v1/threats",
    "/api/v1/summary",
    "/api/v1/sources",
    "/api/v1/trails",
    "/api/v1/timeline",
]


def ids(client: AppClient, **params: object) -> int:
    return len(client.json("/api/v1/events", **params)["events"])


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, 6),
        ({"severity": "critical"}, 4),
        ({"severity": ["low", "high"]}, 2),
        ({"group": "DNS"}, 4),
        ({"group": "dns"}, 4),
        ({"kind": "ipv4"}, 2),
        ({"class": "c2"}, 4),
        ({"direction": "inbound"}, 2),
        ({"source": "192.168.1.11"}, 2),
        ({"source": "192.168.0.0/16"}, 4),
        ({"source": "192.168.1.99/16"}, 4),
        ({"source": "::ffff:192.168.1.11"}, 2),
        ({"source": ["192.168.1.11", "80.94.92.0/24"]}, 3),
        ({"source": "2001:db8::/32"}, 0),
        ({"destination": "192.168.1.20"}, 2),
        ({"trail": "evil.example"}, 4),
        ({"trail": "EVIL.example."}, 4),
        ({"info": "mass scanner"}, 2),
        ({"sensor": "sensor-2"}, 1),
        ({"dataset": "zeek.conn"}, 2),
        ({"protocol": "dns"}, 4),
        ({"q": "EMOTET"}, 4),
        ({"since": "2025-10-01T01:00:00Z"}, 5),
        ({"since": "1759280400"}, 5),
        ({"since": "1h"}, 3),
        ({"until": "2025-10-01T01:00:00Z"}, 1),
        ({"since": "2025-10-01", "until": "2025-10-01T02:00:00"}, 3),
        ({"severity": "critical", "sensor": "sensor-1", "since": "1h"}, 1),
    ],
)
def test_conditions_find_what_they_say(client: AppClient, filled: Store, params: dict[str, object], found: int) -> None:
    assert ids(client, **params) == found


@pytest.mark.parametrize("parameter", FREE_TEXT)
def test_free_text_is_only_ever_compared(client: AppClient, filled: Store, parameter: str) -> None:
    for text in HOSTILE:
        for path in LISTS:
            assert client.get(path, {parameter: text}).status_code == 200, text
        assert ids(client, **{parameter: text}) == 0, text
    assert ids(client) == 6


@pytest.mark.parametrize("parameter", CHOSEN)
def test_what_is_no_choice_is_refused(client: AppClient, parameter: str) -> None:
    for text in HOSTILE:
        problem = refused(client.get("/api/v1/events", {parameter: text}), 422)
        assert problem["errors"][0]["parameter"] == parameter


@pytest.mark.parametrize("parameter", ["limit", "order", "cursor"])
def test_paging_is_not_a_way_in(client: AppClient, filled: Store, parameter: str) -> None:
    for path in ("/api/v1/events", "/api/v1/threats"):
        for text in HOSTILE:
            refused(client.get(path, {parameter: text}), 400 if parameter == "cursor" else 422)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("source", "192.168.1"),
        ("source", "192.168.1.1/33"),
        ("destination", "host.example"),
        ("since", "yesterday"),
        ("severity", "urgent"),
        ("q", ""),
        ("q", "x" * 257),
        ("info", "x" * 256),
        ("trail", "x" * 2049),
        ("limit", "0"),
        ("limit", "1001"),
        ("cursor", "x" * 4097),
        ("source", "1.1.1.1" * 100),
        ("since", "1" * 5000),
    ],
)
def test_bounds_hold(client: AppClient, parameter: str, value: str) -> None:
    problem = refused(client.get("/api/v1/events", {parameter: value}), 422)
    assert problem["errors"][0]["parameter"] == parameter
    assert len(problem["detail"]) < 300


def test_repetition_is_bounded(client: AppClient) -> None:
    assert client.get("/api/v1/events", {"sensor": ["s"] * 50}).status_code == 200
    refused(client.get("/api/v1/events", {"sensor": ["s"] * 51}), 422)


def test_a_period_has_to_begin_before_it_ends(client: AppClient) -> None:
    problem = refused(client.get("/api/v1/events", {"since": "1h", "until": "2h"}), 422)
    assert problem["detail"].startswith("since: ")


@pytest.mark.parametrize("path", ["events", "threats", "summary", "timeline", "sources", "trails"])
def test_a_search_narrows_every_answer(client: AppClient, filled: Store, path: str) -> None:
    found = client.json(f"/api/v1/{path}", search="trail:EVIL.example -sensor:sensor-2", **{"class": "c2"})
    everything = client.json(f"/api/v1/{path}")
    assert found != everything
    assert "45.155.205.233" not in str(found)


def test_a_search_and_other_conditions_hold_together(client: AppClient, filled: Store) -> None:
    asked = {"search": "inbound", "severity": "high"}
    assert [one["source"]["ip"] for one in client.json("/api/v1/events", **asked)["events"]] == ["80.94.92.10"]


def test_a_search_that_cannot_be_read_says_where(client: AppClient) -> None:
    problem = refused(client.get("/api/v1/events", {"search": "high AND scr:192.0.2.1"}), 422)
    assert problem["errors"][0]["parameter"] == "search"
    assert "at character 10: there is no field 'scr'; the nearest is src" in problem["detail"]
