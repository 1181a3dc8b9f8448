"""The connection to Elasticsearch that the settings describe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import urllib3
from elastic_transport import NodeConfig, Urllib3HttpNode
from elasticsearch import Elasticsearch
from elasticsearch.serializer import OrjsonSerializer

from trailhound import secret
from trailhound.cluster import Cluster
from trailhound.errors import SettingsError


def client(cluster: Cluster, secrets: Path | None = None) -> Elasticsearch:
    """Make the client; nothing is sent yet. `secrets` is the folder of the site's secrets.

    It asks the other hosts when one does not answer, and repeats nothing by itself beyond that: who asks knows better
    what may be repeated, and when. Raises `SettingsError`.
    """
    if cluster.ca_file is not None and not cluster.ca_file.is_file():
        raise SettingsError(f"store.elasticsearch.ca_file = {cluster.ca_file}: there is no such file")
    where: dict[str, Any] = {"cloud_id": cluster.cloud_id} if cluster.cloud_id else {"hosts": list(cluster.hosts)}
    try:
        return Elasticsearch(
            **where,
            **_credentials(cluster, secrets),
            **_trust(cluster),
            node_class=_proxied(cluster.proxy) if cluster.proxy else Urllib3HttpNode,
            serializer=OrjsonSerializer(),
            request_timeout=cluster.timeout_seconds,
            http_compress=cluster.compress,
            max_retries=0 if cluster.cloud_id else len(cluster.hosts) - 1,
            retry_on_status=(),
            retry_on_timeout=False,
        )
    except (ValueError, OSError) as error:
        raise SettingsError(f"store.elasticsearch: {error}") from error


def _credentials(cluster: Cluster, secrets: Path | None) -> Mapping[str, Any]:
    if cluster.api_key:
        return {"api_key": secret.find(cluster.api_key, secrets)}
    if cluster.user:
        return {"basic_auth": (cluster.user, secret.find(cluster.password, secrets))}
    return {}


def _trust(cluster: Cluster) -> Mapping[str, Any]:
    if not cluster.cloud_id and not any(host.startswith("https://") for host in cluster.hosts):
        return {}
    if cluster.fingerprint:
        return {"ssl_assert_fingerprint": cluster.fingerprint}
    return {"ca_certs": str(cluster.ca_file)} if cluster.ca_file is not None else {}


class _ThroughProxy:
    """What a node asks through: urllib3 knows proxies only of whole addresses."""

    def __init__(self, proxy: str, pool: Any) -> None:
        own = {"block": True, "maxsize": pool.pool.maxsize, "timeout": pool.timeout}
        if isinstance(pool, urllib3.HTTPSConnectionPool):
            names = ("ssl_context", "assert_fingerprint", "assert_hostname", "cert_reqs", "ca_certs")
            told = {"ssl_context": pool.conn_kw.get("ssl_context")}
            told |= {name: getattr(pool, name, None) for name in names[1:]}
            own |= {name: value for name, value in told.items() if value is not None}
        self._root = f"{pool.scheme}://{pool.host}:{pool.port}"
        self._manager = urllib3.ProxyManager(proxy, **own)

    def urlopen(self, method: str, target: str, headers: Mapping[str, str], **options: Any) -> urllib3.BaseHTTPResponse:
        # On the way to a proxy urllib3 adds an `Accept` of its own to one that is spelt otherwise.
        spelt = {name.title(): value for name, value in headers.items()}
        return self._manager.urlopen(method, f"{self._root}{target}", redirect=False, headers=spelt, **options)

    def close(self) -> None:
        self._manager.clear()


def _proxied(proxy: str) -> type[Urllib3HttpNode]:
    class ProxiedNode(Urllib3HttpNode):
        def __init__(self, config: NodeConfig) -> None:
            super().__init__(config)
            self.pool: Any = _ThroughProxy(proxy, self.pool)

    return ProxiedNode
