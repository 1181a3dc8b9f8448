"""Every outage of a real Elasticsearch while a real `trailhound run` reads logs that are written: every event once."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from elasticsearch import ApiError, Elasticsearch, helpers

from stores.elastic import setup
from stores.elastic.names import Names
from tests.e2e.installation import Installation, Process, eventually
from tests.elasticsearch.server import ElasticsearchServer
from tests.elasticsearch.trouble import Cut, Hang, Refuse, RefuseItems, Trouble, TroubleProxy
from tests.ingest.living import append, header, name, row

NAMES = 10_000
_PAUSE = 0.01  # Seconds between two lines.
_AWAY = "the store is away"


class _Writer(threading.Thread):
    """Writes one line after the other, each of which is an event, until it is told to stop."""

    def __init__(self, log: Path) -> None:
        super().__init__(daemon=True)
        self.lines = 0
        self._log = log
        self._stop_asked = threading.Event()
        append(log, header())

    def run(self) -> None:
        while not self._stop_asked.wait(_PAUSE) and self.lines < NAMES:
            append(self._log, row(self.lines))
            self.lines += 1

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


@dataclass(slots=True)
class _Site:
    """A server, the proxy before it, and a Trailhound that reads what is written and keeps it there."""

    server: ElasticsearchServer
    proxy: TroubleProxy
    installation: Installation
    names: Names
    process: Process
    client: Elasticsearch
    writer: _Writer

    def kept(self) -> Counter[str]:
        """Count the documents of each name, in all backing indices."""
        self.client.indices.refresh(index=self.names.events)
        found = helpers.scan(self.client, index=self.names.events, source=["trailhound.trail", "trailhound.count"])
        kept: Counter[str] = Counter()
        for hit in found:
            kept[hit["_source"]["trailhound"]["trail"]] += hit["_source"]["trailhound"]["count"]
        return kept

    def count(self) -> int:
        try:
            return int(self.client.count(index=self.names.events, ignore_unavailable=True)["count"])
        except ApiError as error:
            # An index that is being made, or is coming back, answers so.
            if error.meta.status != 503:
                raise
            return 0

    def roll_over(self) -> None:
        self.client.indices.rollover(alias=self.names.events)

    def block(self, *, read_only: bool) -> None:
        settings = {"index.blocks.read_only_allow_delete": read_only or None}
        self.client.indices.put_settings(index=self.names.events, settings=settings)

    def goes_on(self) -> None:
        """Wait until what was written by now is kept."""
        lines = self.writer.lines
        eventually(lambda: self.count() >= lines)

    def waits(self) -> None:
        """Wait until it is said that reading has stopped, while lines are written on."""
        eventually(lambda: any(_AWAY in reason for reason in self.process.health().get("reasons", ())))

    def ends_well(self) -> None:
        """Stop the writer; what it wrote is kept, every line once."""
        self.writer.stop()
        self.goes_on()
        assert self.process.end() == 0, self.process.said
        assert self.kept() == Counter(name(number) for number in range(self.writer.lines))
        assert not self.installation.state.joinpath("deadletters.ndjson").exists()


@pytest.fixture(scope="module")
def trails(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trails") / "trails.csv"
    path.write_text("".join(f"{name(number)},threat {number} (malware),test\n" for number in range(NAMES)), "utf-8")
    return path


def _settings(site_url: str, namespace: str) -> str:
    return f"""\
[store]
kind = "elasticsearch"

[store.elasticsearch]
hosts = ["{site_url}"]
namespace = "{namespace}"
timeout_seconds = 1.5
"""


def _start(installation: Installation) -> Process:
    return installation.start(*installation.run, "--config", installation.root / "trailhound.toml")


@pytest.fixture
def site(own_elasticsearch: ElasticsearchServer, tmp_path: Path, trails: Path) -> Iterator[_Site]:
    names = Names(f"outage{uuid.uuid4().hex[:12]}")
    installation = Installation(tmp_path, trails)
    with (
        Elasticsearch(own_elasticsearch.url, request_timeout=60) as client,
        TroubleProxy(own_elasticsearch.url) as proxy,
    ):
        setup.apply(client, names)
        (tmp_path / "trailhound.toml").write_text(_settings(proxy.url, names.namespace), "utf-8")
        writer = _Writer(installation.log)
        process = _start(installation)
        writer.start()
        site = _Site(own_elasticsearch, proxy, installation, names, process, client, writer)
        try:
            eventually(lambda: site.count() >= 10)
            yield site
        finally:
            writer.stop()
            site.process.kill()


def test_a_server_that_is_stopped_and_started_again_loses_and_doubles_nothing(site: _Site) -> None:
    for end in (site.server.stop, site.server.kill):
        end()
        site.waits()
        site.server.start()
        site.goes_on()
    site.ends_well()


def test_a_server_that_hangs_loses_and_doubles_nothing(site: _Site) -> None:
    for _ in range(3):
        site.server.pause()
        time.sleep(3)
        site.server.resume()
        site.server.wait()
        site.roll_over()
        site.goes_on()
    site.ends_well()


def test_an_index_that_turns_read_only_loses_and_doubles_nothing(site: _Site) -> None:
    site.block(read_only=True)
    site.waits()
    assert any("read-only" in reason for reason in site.process.health()["reasons"])
    site.block(read_only=False)
    site.goes_on()
    site.ends_well()


def test_troubles_on_the_way_lose_and_double_nothing(site: _Site) -> None:
    troubles: tuple[Trouble, ...] = (
        Refuse(429),
        Refuse(503),
        Refuse(413),
        RefuseItems(lambda number: number % 2 == 0),
        RefuseItems(lambda _: True),
        Cut(after=True),
        Cut(after=False),
        Hang(),
    )
    for trouble in troubles:
        site.proxy.make(trouble, only="/_bulk")
        time.sleep(1.0)
        site.roll_over()
        time.sleep(0.5)
        site.proxy.heal()
        site.goes_on()
    assert all(any(seen.trouble is trouble for seen in site.proxy.seen) for trouble in troubles)
    site.ends_well()


def test_a_kill_in_the_middle_of_an_outage_and_a_rollover_lose_and_double_nothing(site: _Site) -> None:
    steps: tuple[Callable[[], None], ...] = (
        lambda: site.proxy.make(Cut(after=True), only="/_bulk"),
        site.proxy.go_away,
        lambda: site.proxy.make(RefuseItems(lambda number: number % 2 == 0), only="/_bulk"),
    )
    for trouble in steps:
        trouble()
        time.sleep(1.0)
        site.process.kill()
        site.roll_over()
        site.proxy.heal()
        site.proxy.come_back()
        site.process = _start(site.installation)
        site.goes_on()
    site.ends_well()
