"""What a full Elasticsearch adds to the one of the tests, as far as the set-up goes: lifecycle, data streams, types.

The server that tests can have lacks these. This one keeps what it is told in memory, and gives it back as the real one
documents it.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from elastic_transport import ApiResponseMeta, BaseNode, HttpHeaders, NodeConfig
from elastic_transport._node import NodeApiResponse  # What `BaseNode` has to give; exported nowhere else.
from elasticsearch import Elasticsearch

Answer = tuple[int, Any]
_NO_HANDLER: Answer = (400, {"error": "no handler found for uri"})
_NOT_FOUND: Answer = (404, {"error": {"type": "resource_not_found_exception", "reason": "not found"}})
_DONE: Answer = (200, {"acknowledged": True})


class Lookalike:
    """A cluster in memory; `sent` holds what changed it, in order."""

    def __init__(self, *, ilm: bool = True, data_stream_lifecycle: bool = True) -> None:
        self.ilm = ilm
        self.data_stream_lifecycle = data_stream_lifecycle
        self.sent: list[tuple[str, str, Any]] = []
        self.policies: dict[str, Any] = {}
        self.components: dict[str, Any] = {}
        self.templates: dict[str, Any] = {}
        self.indices: dict[str, Any] = {}
        self.streams: dict[str, str] = {}
        self.kept_for: dict[str, Any] = {}

    def client(self) -> Elasticsearch:
        cluster = self

        class Node(BaseNode):
            def __init__(self, config: NodeConfig) -> None:
                super().__init__(config)

            def perform_request(
                self,
                method: str,
                target: str,
                body: bytes | None = None,
                headers: Any = None,
                request_timeout: Any = None,
            ) -> NodeApiResponse:
                del headers, request_timeout
                status, answer = cluster.answer(method, target.partition("?")[0], json.loads(body) if body else None)
                told = HttpHeaders({"x-elastic-product": "Elasticsearch", "content-type": "application/json"})
                return NodeApiResponse(
                    ApiResponseMeta(node=self.config, duration=0, http_version="1.1", status=status, headers=told),
                    json.dumps(answer).encode(),
                )

            def close(self) -> None: ...

        return Elasticsearch("http://127.0.0.1:9200", node_class=Node)

    def answer(self, method: str, path: str, body: Any) -> Answer:
        if method != "GET" and not path.endswith("_simulate"):
            self.sent.append((method, path, body))
        parts = path.strip("/").split("/")
        match method, parts:
            case "POST", ["_index_template", "_simulate"]:
                return 200, {"template": {}}
            case _, ["_ilm", "policy", *name]:
                return self._policy(method, name, body) if self.ilm else _NO_HANDLER
            case _, ["_data_stream", name, "_lifecycle"]:
                return self._kept(method, name, body) if self.data_stream_lifecycle else _NO_HANDLER
            case "PUT", ["_data_stream", name]:
                return self._make(name, f".ds-{name}-000001")
            case "GET", ["_data_stream", _]:
                return 200, {"data_streams": []}
            case _, ["_component_template", name]:
                return self._template(method, self.components, "component_template", name, body)
            case "GET", ["_index_template"]:
                found = [{"name": name, "index_template": body} for name, body in self.templates.items()]
                return 200, {"index_templates": found}
            case _, ["_index_template", name]:
                return self._template(method, self.templates, "index_template", name, body)
            case "GET", ["_resolve", "index", name]:
                if name not in self.streams:
                    return _NOT_FOUND
                return 200, {"indices": [], "data_streams": [{"name": name, "backing_indices": self.streams[name]}]}
        return self._index(method, parts, body)

    def _index(self, method: str, parts: list[str], body: Any) -> Answer:
        name = self.streams.get(parts[0], parts[0])
        if len(parts) == 1 and method == "PUT":
            return self._make(name, name)
        if name not in self.indices:
            return _NOT_FOUND
        if method == "PUT" and parts[1] == "_settings":
            for key, value in body.items():
                _set(self.indices[name]["settings"], key, value)
            return _DONE
        what = parts[1].removeprefix("_")
        key = "mappings" if what == "mapping" else what
        return 200, {name: {key: self.indices[name][key]}}

    def _policy(self, method: str, name: list[str], body: Any) -> Answer:
        if method == "PUT":
            self.policies[name[0]] = body["policy"]
            return _DONE
        if not name:
            return 200, {}
        if name[0] not in self.policies:
            return _NOT_FOUND
        return 200, {name[0]: {"version": 1, "policy": self.policies[name[0]]}}

    def _kept(self, method: str, name: str, body: Any) -> Answer:
        if method == "PUT":
            self.kept_for[name] = body
            return _DONE
        found = [{"name": name, "lifecycle": self.kept_for.get(name, {})}] if name in self.streams else []
        return 200, {"data_streams": found}

    def _template(self, method: str, of: dict[str, Any], word: str, name: str, body: Any) -> Answer:
        if method == "PUT":
            of[name] = body
            return _DONE
        return (200, {f"{word}s": [{"name": name, word: of[name]}]}) if name in of else _NOT_FOUND

    def _make(self, name: str, index: str) -> Answer:
        """Make an index, or a data stream with one, as the template of its name says."""
        of = next(t for t in self.templates.values() if any(_fits(p, name) for p in t["index_patterns"]))
        made: dict[str, Any] = {"settings": {}, "mappings": {"properties": {}}}
        parts = [self.components[part]["template"] for part in of["composed_of"] if part in self.components]
        for template in (*parts, of.get("template", {})):
            _merge(made["settings"], template.get("settings", {}))
            _merge(made["mappings"], template.get("mappings", {}))
            if "lifecycle" in template:
                self.kept_for[name] = template["lifecycle"]
        self.indices[index] = made
        if index != name:
            self.streams[name] = index
        return _DONE


def _fits(pattern: str, name: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None


def _merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, Mapping):
            _merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


def _set(settings: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, leaf = dotted.split(".")
    for parent in parents:
        settings = settings.setdefault(parent, {})
    if value is None:
        settings.pop(leaf, None)
    else:
        settings[leaf] = value
