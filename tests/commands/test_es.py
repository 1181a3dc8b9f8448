"""`trailhound es` against a real server, and in front of none."""

import json
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from stores.contract import Query
from stores.elastic import connect
from stores.elastic.names import Names
from stores.elastic.store import open_elastic
from tests.commands.conftest import Trailhound
from tests.elasticsearch.trouble import Refuse, TroubleProxy
from tests.house.tree import ROOT
from tests.stores.factory import make_event
from trailhound.cluster import Cluster

NAMESPACE = "TRAILHOUND_STORE__ELASTICSEARCH__NAMESPACE"
HOSTS = "TRAILHOUND_STORE__ELASTICSEARCH__HOSTS"


@pytest.fixture
def at(elasticsearch_url: str, elasticsearch_namespace: str, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Let the commands go to the server of the tests, in a namespace of this test's own."""
    monkeypatch.setenv(NAMESPACE, elasticsearch_namespace)
    monkeypatch.setenv(HOSTS, json.dumps([elasticsearch_url]))
    return Cluster(hosts=(elasticsearch_url,), namespace=elasticsearch_namespace)


def test_setting_up_twice_does_nothing_the_second_time(trailhound: Trailhound, at: Cluster) -> None:
    first = trailhound("es", "setup")
    assert first.status == 0
    assert f"put the index template logs-trailhound.event-{at.namespace}" in first.out
    second = trailhound("es", "setup")
    assert second.status == 0
    assert second.out.startswith(f"nothing to do: namespace {at.namespace} is as it should be")
    assert json.loads(trailhound("es", "setup", "--json").out)["done"] == []


def test_a_dry_run_writes_what_would_be_sent_and_sends_nothing(trailhound: Trailhound, at: Cluster) -> None:
    steps = json.loads(trailhound("es", "setup", "--dry-run").out)
    template = next(step for step in steps if step["path"] == f"/_index_template/logs-trailhound.event-{at.namespace}")
    assert template["method"] == "PUT"
    assert template["body"]["priority"] == 200
    assert json.loads(trailhound("es", "setup", "--dry-run", "--json").out) == steps
    assert trailhound("es", "status").status == 1, "nothing was set up"
    trailhound("es", "setup")
    assert json.loads(trailhound("es", "setup", "--dry-run").out) == []


def test_the_status_tells_what_there_is(trailhound: Trailhound, at: Cluster) -> None:
    before = trailhound("es", "status")
    assert before.status == 1
    assert (
        f"due        put the component template trailhound-event@{at.namespace}: run `trailhound es set" in before.out
    )
    trailhound("es", "setup")
    store = open_elastic(connect.client(at), Names(at.namespace), refresh=True)
    store.append([make_event(identity=str(number)) for number in range(3)])
    store.close()
    after = trailhound("es", "status", "--json")
    assert after.status == 0
    told = json.loads(after.out)
    assert told["namespace"] == at.namespace
    assert [index["documents"] for index in told["events"]] == [3]
    assert {template["version"] for template in told["templates"]} == {1}
    assert told["due"] == []
    assert "3 documents" in trailhound("es", "status").out


def test_a_check_says_what_is_well_and_what_is_not(trailhound: Trailhound, at: Cluster) -> None:
    before = trailhound("es", "check")
    assert before.status == 1
    assert "BAD  set-up:" in before.out
    assert "run `trailhound es setup`" in before.out
    trailhound("es", "setup")
    after = trailhound("es", "check")
    assert after.status == 0, after.out
    with connect.client(at) as client:
        client.indices.put_settings(index=Names(at.namespace).sensors, settings={"index.blocks.write": True})
    blocked = trailhound("es", "check", "--json")
    assert blocked.status == 1
    (bad,) = [one for one in json.loads(blocked.out) if not one["well"]]
    assert bad["what"] == "writing"
    assert bad["said"].startswith(f"trailhound-sensors-{at.namespace} (write) is blocked")


def test_a_check_tries_each_host_by_itself(
    trailhound: Trailhound, at: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv(HOSTS, json.dumps([away, *at.hosts]))
    ran = trailhound("es", "check")
    assert ran.status == 1
    assert f"BAD  connection to {away}: nothing listens there (connection refused)" in ran.out
    assert f"ok   connection to {at.hosts[0]}" in ran.out
    assert "ok   version: " in ran.out, "it goes on with those that answer"


@pytest.mark.parametrize("command", [("setup",), ("setup", "--dry-run"), ("status",)])
def test_a_cluster_that_is_away_is_one_sentence(
    trailhound: Trailhound, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv(HOSTS, json.dumps([f"http://127.0.0.1:{free_port()}"]))
    ran = trailhound("es", *command)
    assert ran.status == 2
    assert ran.err.count("\n") == 1
    assert "nothing listens there (connection refused)" in ran.err


def test_trouble_in_the_middle_is_one_sentence_and_can_be_gone_on_from(
    trailhound: Trailhound, at: Cluster, elasticsearch_trouble: TroubleProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    elasticsearch_trouble.make(Refuse(503), times=1, only=f"/_index_template/logs-trailhound.event-{at.namespace}")
    monkeypatch.setenv(HOSTS, json.dumps([elasticsearch_trouble.url]))
    ran = trailhound("es", "setup")
    assert ran.status == 2
    assert "the cluster is not ready" in ran.err
    assert trailhound("es", "setup").status == 0
    assert trailhound("es", "status").status == 0


def test_a_scan_goes_into_the_cluster_and_a_second_adds_nothing(
    trailhound: Trailhound, at: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAILHOUND_STORE__KIND", "elasticsearch")
    sample, state = ROOT / "trailhound" / "sample" / "zeek" / "dns.log", tmp_path / "state"
    trailhound("es", "setup")
    first = trailhound("scan", "--store", "--jobs", "1", "--json", "--state", state, sample)
    assert first.status == 1, first.err
    events = json.loads(first.out)["store"]["new"]
    assert events > 0, first.out
    anew = trailhound("scan", "--store", "--jobs", "1", "--json", "--state", tmp_path / "another", sample)
    told = json.loads(anew.out)["store"]
    assert (told["new"], told["known"]) == (0, events)
    store = open_elastic(connect.client(at), Names(at.namespace), read_only=True)
    with closing(store):
        assert store.summary(Query()).events == events


def test_a_scan_into_a_cluster_that_is_not_set_up_says_what_to_do(
    trailhound: Trailhound, at: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAILHOUND_STORE__KIND", "elasticsearch")
    sample = ROOT / "trailhound" / "sample" / "zeek" / "dns.log"
    ran = trailhound("scan", "--store", "--jobs", "1", "--state", tmp_path, sample)
    assert ran.status == 2
    assert "es setup" in ran.err


def test_a_store_that_there_is_not_is_refused(trailhound: Trailhound, tmp_path: Path) -> None:
    ran = trailhound("run", "--store", "postgres", tmp_path)
    assert ran.status == 2
    assert "the command line: store.kind = 'postgres': should be 'embedded' or 'elasticsearch'" in ran.err


def test_no_other_command_waits_for_the_client() -> None:
    said = "import sys, trailhound.cli; print('elasticsearch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
