"""Each way in which a cluster does not do what it is asked, in a sentence that says what to do about it."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

from elasticsearch import ApiError, ConnectionTimeout, SerializationError, UnsupportedProductError
from urllib3.exceptions import HTTPError, ProxyError

_AUTHORITY = (18, 19, 20, 21)  # Of OpenSSL: self-signed, or of an authority that is not trusted.
_EXPIRED, _NOT_YET_VALID, _OTHER_NAME = 10, 9, 62
_FOR_ANOTHER_NAME = "its certificate is for another name: use one that stands in it in store.elasticsearch.hosts"
_SAID = 1000  # Characters of the server's own words.


def explained(error: Exception) -> str:
    """Say in one sentence what went wrong with a request, and what to do about it."""
    if isinstance(error, UnsupportedProductError):
        return (
            "what answers there is not Elasticsearch (its answers lack the header X-Elastic-Product):"
            " check store.elasticsearch.hosts, and what stands between"
        )
    if isinstance(error, ApiError):
        return _refused(error)
    if isinstance(error, SerializationError):
        return "what answers there does not speak JSON as Elasticsearch does: check store.elasticsearch.hosts"
    return _unreached(error)


def reason(error: ApiError) -> str:
    """Give what the server says of a refusal, in its own words, at most 1,000 characters."""
    said = _of(error)
    while isinstance(said.get("caused_by"), Mapping):
        said = said["caused_by"]
    return " ".join(str(said.get("reason") or said.get("type") or error).split())[:_SAID]


def kind(error: ApiError) -> str:
    """Give the type of a refusal, such as `cluster_block_exception`; empty when the server names none."""
    return str(_of(error).get("type", ""))


def _of(error: ApiError) -> Mapping[str, Any]:
    body: Any = error.body
    said = body.get("error", body) if isinstance(body, Mapping) else body
    return said if isinstance(said, Mapping) else {"reason": str(said)} if said else {}


def _refused(error: ApiError) -> str:
    said, status = reason(error), error.meta.status
    match status:
        case 401:
            return (
                "the cluster does not know who we are: check the secret that store.elasticsearch.api_key"
                f" (or .user and .password) names ({said})"
            )
        case 403 if kind(error) == "cluster_block_exception":
            return f"the index is read-only: {said}; make room, then take the block away"
        case 403:
            return f"we are not permitted to: {said}; docs/elasticsearch.md lists the privileges of each role"
        case 429 if kind(error) == "cluster_block_exception":
            return f"the disks of the cluster are full, so that it takes nothing more: {said}"
        case 429:
            return f"the cluster has too much to do: {said}"
        case 400 if kind(error) == "media_type_header_exception":
            return "the cluster is older than our client can talk to: Elasticsearch 8 or 9 was expected"
        case 502 | 503 | 504:
            return f"the cluster is not ready, or what stands before it does not reach it: {said}"
    return f"the cluster refuses ({status}): {said}"


def _unreached(error: Exception) -> str:
    chain = list(_causes(error))
    for cause in chain:
        found = _of_name(cause) or _of_certificate(cause) or _of_tls(cause)
        if found:
            return found
    if any(isinstance(cause, ProxyError) for cause in chain):
        return f"the proxy does not reach the cluster: check store.elasticsearch.proxy ({_plain(chain[-1])})"
    if any(isinstance(cause, ConnectionRefusedError) for cause in chain):
        return "nothing listens there (connection refused): is Elasticsearch running, and is that its address and port?"
    if isinstance(error, ConnectionTimeout) or any(isinstance(cause, TimeoutError) for cause in chain):
        return "no answer came in time (store.elasticsearch.timeout_seconds): the cluster is overloaded or unreachable"
    if any(isinstance(cause, ConnectionResetError | BrokenPipeError) or _is_cut(cause) for cause in chain):
        return "the connection was closed without an answer: is it https there, or is the cluster stopping?"
    return f"the cluster cannot be reached: {_plain(chain[-1])}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and all that led to it, the first cause last."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [getattr(one, "reason", None), getattr(one, "original_error", None), one.__cause__, one.__context__]
        inner += list(getattr(one, "errors", ())) + list(one.args)
        waiting += [item for item in inner if isinstance(item, BaseException)]


def _of_name(cause: BaseException) -> str | None:
    if isinstance(cause, socket.gaierror):
        return "its name cannot be resolved: check store.elasticsearch.hosts and the DNS of this host"
    return None


def _of_certificate(cause: BaseException) -> str | None:
    if isinstance(cause, ssl.SSLCertVerificationError):
        if cause.verify_code in _AUTHORITY:
            return (
                "its certificate is of an authority that this host does not trust: set store.elasticsearch.ca_file to"
                " the certificate of that authority, or store.elasticsearch.fingerprint"
            )
        if cause.verify_code in (_EXPIRED, _NOT_YET_VALID):
            when = "has expired" if cause.verify_code == _EXPIRED else "is not valid yet"
            return f"its certificate {when}: renew it, or set the clock of this host"
        if cause.verify_code == _OTHER_NAME:
            return _FOR_ANOTHER_NAME
        return f"its certificate is refused: {cause.verify_message}"
    if type(cause).__name__ == "CertificateError":  # Of urllib3, which exports it nowhere.
        return _FOR_ANOTHER_NAME
    if isinstance(cause, HTTPError) and "Fingerprints did not match" in str(cause):
        return "its certificate is another than store.elasticsearch.fingerprint says: was it renewed?"
    return None


def _of_tls(cause: BaseException) -> str | None:
    if isinstance(cause, ssl.SSLError):
        if cause.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"):
            return "it does not speak TLS there: http:// was expected in store.elasticsearch.hosts, or another port"
        return f"no TLS connection comes about: {cause.reason or cause}"
    return None


def _is_cut(cause: BaseException) -> bool:
    return type(cause).__name__ in ("RemoteDisconnected", "ProtocolError", "BadStatusLine", "IncompleteRead")


def _plain(cause: BaseException) -> str:
    """Give an error without the addresses of objects that urllib3 puts before it."""
    text = " ".join(str(cause).split())
    return (text.rpartition(">: ")[2] if text.startswith("<") else text)[:_SAID]
