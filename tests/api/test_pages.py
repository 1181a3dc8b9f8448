import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from api.render import visible
from stores.contract import SensorStatus, Store
from tests.api.client import AppClient, refused
from tests.api.conftest import NOW
from tests.stores.factory import HOUR, make_event, make_trail
from trailhound.record import MICROSECONDS
from trailhound.trail import TrailKind

SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
VOID = {"meta", "link", "img"}


class Page(HTMLParser):
    """Read a page: elements with their attributes, and whether they are nested as they should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_shows_totals_timeline_and_threats(client: AppClient, filled: Store) -> None:
    answer = client.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    for word in (
        "109",
        "192.168.1.10",
        "evil.example",
        "mass scanner",
        "critical",
        "2025-10-01 02:00:00",
        "2 in force",
    ):
        assert word in page.words, word
    styles = [attributes["class"] for tag, attributes in page.elements if tag == "rect"]
    assert styles.count("dns") == 3
    assert styles.count("ip") == 2


@pytest.mark.parametrize(
    ("period", "records"), [("1h", "3"), ("24h", "109"), ("7d", "109"), ("30d", "109"), ("all", "109")]
)
def test_a_period_is_chosen_by_link(client: AppClient, filled: Store, period: str, records: str) -> None:
    page = Page(client.get("/", {"period": period}).text)
    links = [attributes.get("href") for tag, attributes in page.elements if attributes.get("aria-current")]
    assert links == [f"/?period={period}"]
    assert re.search(rf"Events\s*{records}\b", page.words)


def test_an_empty_store_makes_a_page(client: AppClient) -> None:
    for period in ("1h", "24h", "7d", "30d", "all"):
        assert "Nothing was detected" in Page(client.get("/", {"period": period}).text).words


def test_an_unknown_period_is_refused(client: AppClient) -> None:
    refused(client.get("/", {"period": "<script>"}), 422)


def test_nothing_from_a_log_is_markup(client: AppClient, store: Store) -> None:
    store.append(
        [
            make_event(
                identity="1",
                start=NOW - HOUR,
                sensor=f"sensor{SCRIPT}",
                observed=SCRIPT,
                source_ip=SCRIPT,
                protocol=SCRIPT,
                message=SCRIPT,
                tags=(SCRIPT,),
                trail=make_trail(
                    kind=TrailKind.USER_AGENT, value=SCRIPT, info=SCRIPT, sources=(SCRIPT,), reference=SCRIPT
                ),
                ecs={"user_agent.original": SCRIPT, "dns.question.name": SCRIPT},
            )
        ]
    )
    store.put_sensors([SensorStatus(SCRIPT, SCRIPT, SCRIPT, 1, 1, 0, 0, 0, None, None, NOW, problem=SCRIPT)])
    page = Page(client.get("/").text)
    assert page.words.count(SCRIPT) >= 5
    assert {tag for tag, _ in page.elements if tag in ("script", "img", "iframe", "object", "style", "form")} == {"img"}
    assert [attributes["src"] for tag, attributes in page.elements if tag == "img"] != ["x"]
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        assert (attributes.get("href") or "/").startswith("/"), tag
        assert (attributes.get("src") or "/static/icon.svg").startswith("/static/"), tag


def test_a_hostile_log_stays_text_in_json(client: AppClient, store: Store) -> None:
    store.append([make_event(trail=make_trail(value=SCRIPT), observed=SCRIPT)])
    answer = client.get("/api/v1/events")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["events"][0]["trailhound"]["trail"] == SCRIPT


def test_what_deceives_a_reader_is_made_visible() -> None:
    assert visible("abc\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe") == "abc\\u{202e}gpj.exe"
    assert visible("a\x00b\x1b[31m\n") == "a\\u{0}b\\u{1b}[31m\\u{a}"
    assert visible("zero\N{ZERO WIDTH SPACE}width") == "zero\\u{200b}width"
    assert visible("\ud800") == "\\u{d800}"
    assert visible("münchen 北京") == "münchen 北京"
    assert visible("x" * 1000) == "x" * 300 + "…"


def test_the_page_loads_only_its_own_files(client: AppClient) -> None:
    page = Page(client.get("/").text)
    links = {
        str(attributes.get("href") or attributes.get("src"))
        for tag, attributes in page.elements
        if tag in ("link", "img")
    }
    assert len(links) == 2
    for link in links:
        answer = client.get(link)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert b"url(" not in answer.content


def test_updates_can_be_paused(client: AppClient) -> None:
    def refreshing(text: str) -> bool:
        return any(attributes.get("http-equiv") == "refresh" for _, attributes in Page(text).elements)

    assert refreshing(client.get("/").text)
    paused = client.get("/", {"refresh": "off"}).text
    assert not refreshing(paused)
    assert 'href="/?period=7d&amp;refresh=off"' in paused


def test_what_does_not_work_is_said_first(client: AppClient, store: Store) -> None:
    status = SensorStatus("s", "dns", "/x", 1, 1, 0, 0, 0, None, None, NOW - 3600 * MICROSECONDS)
    store.put_sensors([status, replace(status, path="/y")])
    assert "ingest is not running" in Page(client.get("/").text).words


def test_the_page_shows_how_each_log_is_doing(client: AppClient, store: Store) -> None:
    well = SensorStatus("dmz", "dns", "/x/dns.log", 1234, 1, 7, 0, 0, NOW, NOW, NOW)
    store.put_sensors(
        [
            well,
            replace(well, log="http", path="/x/http.log", warning="silent for 75 min"),
            replace(well, log="conn", path="/x/conn.log", problem="permission denied", lost_bytes=987_654),
        ]
    )
    words = Page(client.get("/").text).words
    states = ("permission denied", "silent for 75 min", "well", "987,654", "1,234")
    assert [state for state in states if state not in words] == []
    table = words[words.index("Sensors") :]
    assert table.index("permission denied") < table.index("silent for 75 min") < table.index("well")


def test_without_a_store_there_is_still_a_page(client: AppClient, store: Store) -> None:
    store.close()
    answer = client.get("/")
    assert answer.status_code == 503
    assert "The store cannot be read" in Page(answer.text).words


def test_an_event_from_the_future_does_not_break_the_page(client: AppClient, store: Store) -> None:
    store.append([make_event(start=NOW + 10**9 * MICROSECONDS), make_event(start=0)])
    for period in ("24h", "all"):
        assert client.get("/", {"period": period}).status_code == 200
