import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, TypeAdapter

from api import answer, answers, writing
from api.app import create_app
from stores.contract import Store
from tests.api.client import AppClient, refused
from tests.api.trails import DictLookup, MissingLookup
from trailhound.errors import SourceError, StoreDamaged, StoreError, StoreUnavailable
from trailhound.settings import Settings

READING = ["/api/v1/summary", "/api/v1/timeline?since=7d", "/api/v1/events", "/api/v1/threats", "/api/v1/sources"]
SECRET = "/home/operator/secret.sqlite"


class FailingStore:
    """Raise the same error whatever is asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*arguments: Any, **options: Any) -> Any:
            raise self._error

        return fail


def failing(settings: Settings, error: Exception) -> AppClient:
    return AppClient(create_app(settings, cast("Store", FailingStore(error)), DictLookup([])))


def operations(app: FastAPI) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every operation with its method and path, such as `GET /ping`."""
    for path, item in app.openapi()["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def models() -> dict[str, type[BaseModel]]:
    """Give every model of requests and answers by its name."""
    found: dict[str, type[BaseModel]] = {}
    waiting = [answer.Answer, writing.Body]
    while waiting:
        one = waiting.pop()
        found[one.__name__] = one
        waiting += one.__subclasses__()
    return found


@pytest.mark.parametrize("path", ["/nowhere", "/api", "/api/v1", "/api/v1/", "/ping/", "/docs", "/redoc", "/static/x"])
def test_an_unknown_page_is_a_problem(client: AppClient, path: str) -> None:
    assert refused(client.get(path), 404)["detail"] == "There is no such page."


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e%2fapp.py", "/static/overview.html"])
def test_static_files_are_those_of_the_page_only(client: AppClient, path: str) -> None:
    refused(client.get(path), 404)


@pytest.mark.parametrize("path", READING)
def test_a_store_that_does_not_answer_asks_for_patience(settings: Settings, path: str) -> None:
    answer = failing(settings, StoreUnavailable(f"{SECRET}: locked")).get(path)
    refused(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert SECRET not in answer.text


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize("error", [StoreDamaged(SECRET), StoreError(SECRET), SourceError(SECRET), RuntimeError(SECRET)])
def test_a_failure_tells_nothing_of_the_inside(settings: Settings, path: str, error: Exception) -> None:
    answer = failing(settings, error).get(path)
    refused(answer, 500)
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_closed_store_asks_for_patience(client: AppClient, store: Store) -> None:
    store.close()
    for path in READING:
        refused(client.get(path), 503)


def test_a_missing_trail_set_asks_for_patience(settings: Settings, store: Store) -> None:
    client = AppClient(create_app(settings, store, MissingLookup()))
    for path in ("/api/v1/trails/info", "/api/v1/trails/check?value=a.example"):
        answer = client.get(path)
        refused(answer, 503)
        assert "/var/lib" not in answer.text
    assert client.get("/").status_code == 200
    assert client.get("/metrics").status_code == 200


def test_every_route_of_the_api_refuses_an_unknown_parameter(client: AppClient, app: FastAPI) -> None:
    for name in {name for name, _ in operations(app)} - {"GET /trails"}:  # That one has no page without a key.
        method, path = name.split()
        problem = refused(client.request(method, path, params={"severty": "high", "value": "x"}), 422)
        assert "severty" in [error["parameter"] for error in problem["errors"]], path


def test_the_nearest_parameter_is_named(client: AppClient) -> None:
    problem = refused(client.get("/api/v1/events", {"severty": "high"}), 422)
    assert problem["detail"] == "severty: there is no such parameter; the nearest is severity"


def test_a_single_parameter_is_not_given_twice(client: AppClient) -> None:
    problem = refused(client.get("/api/v1/events?limit=1&limit=1000"), 422)
    assert problem["errors"] == [{"parameter": "limit", "message": "this parameter can be given once only"}]


@pytest.mark.parametrize("path", ["/", "/ping", "/nowhere", "/api/v1/events", "/api/v1/events?limit=x", "/metrics"])
def test_every_answer_has_the_security_headers(client: AppClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


def test_every_operation_says_what_it_does(app: FastAPI) -> None:
    found = list(operations(app))
    ids = [operation["operationId"] for _, operation in found]
    assert len(ids) == len(set(ids))
    known_tags = {tag["name"] for tag in app.openapi()["tags"]}
    for path, operation in found:
        assert operation["summary"], path
        assert operation["description"], path
        assert set(operation["tags"]) <= known_tags, path
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description") or parameter["in"] == "path", (path, parameter["name"])


def test_every_example_of_the_document_is_valid(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    seen, known = set(), models()
    for name, schema in schemas.items():
        model = known.get(name)
        for example in schema.get("examples", ()):
            assert model is not None, name
            assert (
                json.loads(model.model_validate(example).model_dump_json(by_alias=True, exclude_unset=True)) == example
            )
            seen.add(name)
    # Those that routes answer with; the others are parts of them.
    answers_of_routes = set(re.findall(r'"#/components/schemas/(\w+Answer)"', json.dumps(app.openapi()["paths"])))
    assert answers_of_routes <= seen


def test_every_parameter_example_is_accepted(client: AppClient, app: FastAPI) -> None:
    tried = 0
    for name, operation in operations(app):
        path = name.removeprefix("GET ")
        # Of those that change something, and of single things, examples need a thing that is there.
        for parameter in operation.get("parameters", ()) if path.startswith("/") and "{" not in path else ():
            for example in parameter.get("examples", {}).values():
                assert client.get(path, {parameter["name"]: example["value"]}).status_code == 200, parameter
                tried += 1
    assert tried > 50


def test_problems_have_their_media_type_in_the_document(app: FastAPI) -> None:
    for path, operation in operations(app):
        for status, response in operation["responses"].items():
            if int(status) >= 400 and path not in ("GET /healthz", "GET /api/v1/health"):
                assert list(response["content"]) == ["application/problem+json"], (path, status)


def test_answers_are_what_the_document_says(client: AppClient, filled: Store) -> None:
    models: dict[str, Any] = {
        "/api/v1/summary?since=7d&compare=true": answers.SummaryAnswer,
        "/api/v1/timeline": answers.TimelineAnswer,
        "/api/v1/events": answers.EventsAnswer,
        "/api/v1/threats": answers.ThreatsAnswer,
        "/api/v1/sources": answers.SourcesAnswer,
        "/api/v1/trails": answers.SeenTrailsAnswer,
        "/api/v1/trails/info": answers.TrailsInfoAnswer,
        "/api/v1/trails/check?value=evil.example": answers.CheckAnswer,
        "/api/v1/sensors": answers.SensorsAnswer,
        "/healthz": answers.HealthAnswer,
    }
    for path, model in models.items():
        answer = client.get(path)
        assert answer.status_code == 200, path
        TypeAdapter(model).validate_json(answer.content, strict=True)


def test_a_large_answer_is_compressed(client: AppClient, filled: Store) -> None:
    answer = client.get("/api/v1/events", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.json()["events"]) == 6


def test_every_route_and_parameter_is_in_the_documentation(app: FastAPI) -> None:
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    for path, operation in operations(app):
        assert f"### `{path}`" in text, path
        for parameter in operation.get("parameters", ()):
            assert f"`{parameter['name']}`" in text or parameter["in"] == "path", (path, parameter["name"])


def test_every_metric_is_in_the_documentation(client: AppClient, filled: Store) -> None:
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    names = {line.split()[2] for line in client.get("/metrics").text.splitlines() if line.startswith("# TYPE")}
    for name in names:
        short = name.replace("trailhound_store_records", "").replace("trailhound_store", "")
        assert f"`{name}`" in text or f"`{short}`" in text or name.startswith("process_"), name
