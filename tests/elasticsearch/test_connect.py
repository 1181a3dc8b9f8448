"""Each way to a cluster, and each way in which it can fail, against real servers."""

import base64
import contextlib
import datetime as dt
import logging
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from elasticsearch import ApiError, Elasticsearch, TransportError

from stores.elastic import connect
from stores.elastic.failures import explained
from tests.elasticsearch.secured import ADMIN, PASSWORD, SecuredServer
from tests.elasticsearch.server import ElasticsearchServer
from tests.elasticsearch.trouble import Hang, Refuse, TroubleProxy
from tests.feeds.fetching.server import Handler, body, serving
from trailhound.cluster import Cluster
from trailhound.errors import SettingsError
from trailhound.settings import load

SECRET = "ELASTICSEARCH_PASSWORD"
HEALTH = b'{"cluster_name": "a"}'
AS_ELASTICSEARCH = {"X_Elastic_Product": "Elasticsearch", "Content_Type": "application/json"}


def trouble_with(cluster: Cluster, secrets: Path | None = None) -> str:
    """Ask, and give what is said of the failure."""
    with connect.client(cluster, secrets) as client, pytest.raises((ApiError, TransportError)) as caught:
        client.cluster.health()
    return explained(caught.value)


def answers(cluster: Cluster, secrets: Path | None = None) -> bool:
    with connect.client(cluster, secrets) as client:
        return bool(client.cluster.health()["cluster_name"])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def admin(secured_elasticsearch: SecuredServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Give the settings of whoever may do all."""
    monkeypatch.setenv(SECRET, PASSWORD)
    return {"hosts": (secured_elasticsearch.url,), "user": ADMIN, "ca_file": secured_elasticsearch.ca_file}


def test_the_default_is_a_server_on_this_host() -> None:
    assert Cluster().hosts == ("http://127.0.0.1:9200",)


def test_a_server_answers(elasticsearch_url: str) -> None:
    assert answers(Cluster(hosts=(elasticsearch_url,)))
    assert answers(Cluster(hosts=(elasticsearch_url,), compress=True))


def test_another_host_is_asked_when_one_is_away(elasticsearch_url: str) -> None:
    for hosts in ((f"http://127.0.0.1:{free_port()}", elasticsearch_url), (elasticsearch_url, "http://127.0.0.1:1")):
        assert all(answers(Cluster(hosts=hosts)) for _ in range(4))


def test_an_authority_is_trusted(admin: dict[str, Any]) -> None:
    assert answers(Cluster(**admin))


def test_a_fingerprint_is_trusted(admin: dict[str, Any], secured_elasticsearch: SecuredServer) -> None:
    digits = secured_elasticsearch.fingerprint.upper()
    spelt = ":".join(digits[at : at + 2] for at in range(0, 64, 2))
    assert answers(Cluster(**admin | {"ca_file": None, "fingerprint": spelt}))


def test_a_secret_may_stand_in_a_file(admin: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET)
    (tmp_path / SECRET).write_text(f"{PASSWORD}\n", "utf-8")
    assert answers(Cluster(**admin), tmp_path)


def test_a_missing_secret_is_named(admin: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET)
    with pytest.raises(SettingsError, match="the secret ELASTICSEARCH_PASSWORD is missing"):
        connect.client(Cluster(**admin), tmp_path)


def test_an_api_key_is_sent_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_KEY", "a2V5OnNlY3JldA==")
    with serving(Handler, None) as place:
        place.answers["/_cluster/health"] = body(HEALTH, **AS_ELASTICSEARCH)
        assert answers(Cluster(hosts=(place.base,), api_key="OUR_KEY"))
        assert place.requests[0].headers["authorization"] == "ApiKey a2V5OnNlY3JldA=="


def test_secrets_are_in_no_message_and_no_log(
    admin: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(SECRET, "not-the-right-one")
    caplog.set_level(logging.DEBUG)
    cluster = Cluster(**admin)
    said = trouble_with(cluster)
    with connect.client(cluster) as client:
        shown = f"{said} {client!r} {client.transport!r} {cluster!r} {cluster.model_dump()}"
    logged = " ".join(record.getMessage() for record in caplog.records)
    for secret in ("not-the-right-one", "YWRtaW46bm90LXRoZS1yaWdodC1vbmU="):
        assert secret not in shown
        assert secret not in logged


def test_the_way_may_go_through_a_proxy(admin: dict[str, Any]) -> None:
    with tunnelling() as (proxy, tunnels):
        assert answers(Cluster(**admin, proxy=proxy))
        assert tunnels == [admin["hosts"][0].removeprefix("https://")]


def test_the_way_may_go_through_a_proxy_in_the_clear() -> None:
    asked = "http://es.example:9200/_cluster/health"
    with serving(Handler, None) as proxy:
        proxy.answers[asked] = body(HEALTH, **AS_ELASTICSEARCH)
        assert answers(Cluster(hosts=("http://es.example:9200",), proxy=proxy.base))
        assert [request.path for request in proxy.requests] == [asked]


def test_nothing_listens() -> None:
    assert "connection refused" in trouble_with(Cluster(hosts=(f"http://127.0.0.1:{free_port()}",)))


def test_the_proxy_is_away(admin: dict[str, Any]) -> None:
    said = trouble_with(Cluster(**admin, proxy=f"http://127.0.0.1:{free_port()}"))
    assert said.startswith("the proxy does not reach the cluster: check store.elasticsearch.proxy")


def test_its_name_cannot_be_resolved() -> None:
    assert "cannot be resolved" in trouble_with(Cluster(hosts=("http://elasticsearch.invalid:9200",)))


def test_it_hangs(elasticsearch_trouble: TroubleProxy) -> None:
    elasticsearch_trouble.make(Hang())
    assert "no answer came in time" in trouble_with(Cluster(hosts=(elasticsearch_trouble.url,), timeout_seconds=0.3))


def test_its_authority_is_not_trusted(admin: dict[str, Any]) -> None:
    assert "authority that this host does not trust" in trouble_with(Cluster(**admin | {"ca_file": None}))


def test_its_fingerprint_is_another(admin: dict[str, Any]) -> None:
    said = trouble_with(Cluster(**admin | {"ca_file": None, "fingerprint": "0" * 64}))
    assert said == "its certificate is another than store.elasticsearch.fingerprint says: was it renewed?"


def test_its_certificate_is_for_another_name(admin: dict[str, Any]) -> None:
    other = admin["hosts"][0].replace("localhost", "127.0.0.1")
    assert "for another name" in trouble_with(Cluster(**admin | {"hosts": (other,)}))


def test_its_certificate_has_expired(ca: trustme.CA, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(ca_file)
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost", not_after=yesterday).configure_cert(context)
    with listening(lambda connection: context.wrap_socket(connection, server_side=True)) as port:
        said = trouble_with(Cluster(hosts=(f"https://localhost:{port}",), ca_file=ca_file))
    assert said == "its certificate has expired: renew it, or set the clock of this host"


def test_it_does_not_speak_tls(elasticsearch_url: str) -> None:
    said = trouble_with(Cluster(hosts=(elasticsearch_url.replace("http://", "https://"),)))
    assert said.startswith("it does not speak TLS there")


def test_it_speaks_tls_only(secured_elasticsearch: SecuredServer) -> None:
    said = trouble_with(Cluster(hosts=(secured_elasticsearch.url.replace("https://", "http://"),)))
    assert said == "the connection was closed without an answer: is it https there, or is the cluster stopping?"


def test_it_is_not_elasticsearch() -> None:
    with serving(Handler, None) as place:
        place.answers["/_cluster/health"] = body(b"{}", Content_Type="application/json")
        assert trouble_with(Cluster(hosts=(place.base,))).startswith("what answers there is not Elasticsearch")


def test_it_is_a_page_for_people() -> None:
    with serving(Handler, None) as place:
        place.answers["/_cluster/health"] = body(b"<html>Sign in</html>", **AS_ELASTICSEARCH)
        assert trouble_with(Cluster(hosts=(place.base,))).startswith("what answers there does not speak JSON")


def test_we_are_not_known(admin: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "wrong")
    assert trouble_with(Cluster(**admin)).startswith("the cluster does not know who we are: check the secret")


def test_we_come_without_a_key(admin: dict[str, Any]) -> None:
    assert trouble_with(Cluster(**admin | {"user": ""})).startswith("the cluster does not know who we are")


@pytest.mark.parametrize(
    ("status", "said"),
    [(429, "the cluster has too much to do"), (503, "the cluster is not ready"), (502, "the cluster is not ready")],
)
def test_it_is_not_ready(elasticsearch_trouble: TroubleProxy, status: int, said: str) -> None:
    elasticsearch_trouble.make(Refuse(status))
    assert trouble_with(Cluster(hosts=(elasticsearch_trouble.url,))).startswith(said)


def test_it_is_of_another_age(client: Elasticsearch) -> None:
    newer = "application/vnd.elasticsearch+json; compatible-with=99"
    with pytest.raises(ApiError) as caught:
        client.perform_request("GET", "/_cluster/health", headers={"accept": newer, "content-type": newer})
    assert explained(caught.value).startswith("the cluster is older than our client can talk to")


def test_an_index_is_read_only(client: Elasticsearch, elasticsearch_namespace: str) -> None:
    index = f"{elasticsearch_namespace}-readonly"
    client.indices.create(index=index, settings={"index.blocks.write": True})
    with pytest.raises(ApiError) as caught:
        client.index(index=index, document={})
    assert explained(caught.value).startswith(f"the index is read-only: index [{index}] blocked by")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"hosts": ["es.example:9200"]}, "hosts.0 = 'es.example:9200': an address with its port was expected"),
        ({"hosts": ["https://es.example"]}, "an address with its port was expected"),
        ({"hosts": ["https://u:p@es.example:9200"]}, "without user and password was expected"),
        ({"hosts": []}, "store.elasticsearch.hosts"),
        ({"namespace": "A-b"}, "store.elasticsearch.namespace = 'A-b'"),
        ({"api_key": "KEY", "user": "u"}, "api_key or user was expected, not both"),
        ({"hosts": ["http://es.example:9200"], "api_key": "KEY"}, "https was expected in hosts"),
        ({"hosts": ["http://es.example:9200"], "user": "u"}, "https was expected in hosts"),
        ({"hosts": ["https://es.example:9200"], "cloud_id": "a:b"}, "hosts or cloud_id was expected, not both"),
        ({"ca_file": "/ca.pem", "fingerprint": "0" * 64}, "ca_file or fingerprint was expected, not both"),
        ({"fingerprint": "abc"}, "the SHA-256 of a certificate was expected"),
        ({"proxy": "proxy"}, "an address with its port was expected"),
        ({"retention_days": -1}, "store.elasticsearch.retention_days = -1"),
        ({"api_key": "two words"}, "store.elasticsearch.api_key = 'two words'"),
    ],
)
def test_settings_that_cannot_be_are_refused(said: dict[str, Any], expected: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(overrides={"store": {"elasticsearch": said}})
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file = /nowhere/ca.pem: there is no such file"),
        ({"cloud_id": "name:not base 64"}, "store.elasticsearch: Cloud ID is not properly formatted"),
    ],
)
def test_what_no_client_can_be_made_of_is_named(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        connect.client(Cluster(**changes))


def test_a_cloud_id_leads_to_its_deployment() -> None:
    parts = base64.b64encode(b"es.example:9243$deployment$kibana").decode()
    cluster = Cluster(cloud_id=f"name:{parts}")
    with connect.client(cluster) as client:
        assert [node.base_url for node in client.transport.node_pool.all()] == ["https://deployment.es.example:9243"]


def test_it_stops_and_comes_back(own_elasticsearch: ElasticsearchServer) -> None:
    cluster = Cluster(hosts=(own_elasticsearch.url,), timeout_seconds=2)
    with connect.client(cluster) as client:
        client.cluster.health()
        own_elasticsearch.stop()
        with pytest.raises(TransportError) as caught:
            client.cluster.health()
        assert "connection" in explained(caught.value)
        own_elasticsearch.start()
        assert client.cluster.health()


@contextmanager
def listening(take: Any) -> Iterator[int]:
    """Take one connection, whatever becomes of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):  # Who calls may hang up.
                take(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join(10)


@contextmanager
def tunnelling() -> Iterator[tuple[str, list[str]]]:
    """Be a proxy for one tunnel (CONNECT); give its address, and where tunnels led."""
    tunnels: list[str] = []

    def take(connection: socket.socket) -> None:
        head = connection.recv(65536).decode("ascii")
        target = head.split()[1]
        tunnels.append(target)
        name, _, port = target.rpartition(":")
        with socket.create_connection((name, int(port))) as far:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ways = {connection: far, far: connection}
            while True:
                for near in select.select(list(ways), [], [])[0]:
                    data = near.recv(65536)
                    if not data:
                        return
                    ways[near].sendall(data)

    with listening(take) as port:
        yield f"http://127.0.0.1:{port}", tunnels
