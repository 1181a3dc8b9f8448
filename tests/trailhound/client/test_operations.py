"""The client fits the OpenAPI document of this very version."""

import ast
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.access.guarding import operations
from api.app import create_app
from stores.embedded import open_embedded
from tests.api.trails import DictLookup
from trailhound.client import answers, client
from trailhound.client.conditions import Conditions
from trailhound.client.operations import LEFT_OUT, OPERATIONS
from trailhound.settings import Settings

# The answers of the API by the names that the client gives them, where these differ by more than `Answer`.
NAMES = {
    "Bucket": "TimelineBucket",
    "LookedUp": "LookedUpValue",
    "Memory": "MemoryExtent",
    "ExceptionEntry": "ExceptionAnswer",
    "AuditEntry": "AuditAnswer",
}
STRUCTS = [one for one in vars(answers).values() if isinstance(one, type) and issubclass(one, answers.Struct)]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    folder = tmp_path_factory.mktemp("state")
    store = open_embedded(folder / "events.sqlite")
    store.close()
    return create_app(Settings(state_dir=folder), store, DictLookup([])).openapi()


def test_every_operation_is_had_or_left_out_for_a_reason(document: Mapping[str, Any]) -> None:
    found = {
        operation["operationId"]: (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert {name: found[name] for name in found if name in OPERATIONS} == OPERATIONS
    assert set(found) - set(OPERATIONS) == set(LEFT_OUT)
    assert all(LEFT_OUT.values())


def test_every_operation_that_is_had_is_used() -> None:
    strings = {node.value for node in ast.walk(ast.parse(inspect.getsource(client))) if isinstance(node, ast.Constant)}
    assert set(OPERATIONS) - strings == set()


@pytest.mark.parametrize("struct", [one for one in STRUCTS if one is not answers.Struct], ids=lambda one: one.__name__)
def test_every_answer_has_the_fields_of_the_document(struct: type[answers.Struct], document: Mapping[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    name = NAMES.get(struct.__name__, struct.__name__)
    schema = schemas.get(name) or schemas[f"{name}Answer"]
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    assert set(fields) == set(schema["properties"])
    assert {name for name, field in fields.items() if field.required} <= set(schema["required"])


def test_every_condition_of_the_document_can_be_given(document: Mapping[str, Any]) -> None:
    (events,) = [one for one in operations(document) if one["operationId"] == "listEvents"]
    taken = {parameter["name"] for parameter in events["parameters"] if parameter["in"] == "query"}
    assert {name.rstrip("_") for name in Conditions.__annotations__} == taken - {"order", "limit", "cursor"}


def test_every_field_of_a_body_that_the_client_sends_is_one_of_the_document(document: Mapping[str, Any]) -> None:
    methods = {name: inspect.signature(method) for name, method in vars(client.Client).items() if callable(method)}
    for operation, method in {
        "setTriage": "set_triage",
        "addCustomTrail": "add_trail",
        "addException": "add_exception",
        "clearHost": "clear",
    }.items():
        (found,) = [one for one in operations(document) if one["operationId"] == operation]
        reference = found["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        properties = document["components"]["schemas"][reference.rpartition("/")[2]]["properties"]
        given = {name.rstrip("_") for name in methods[method].parameters}
        assert set(properties) == given - {"self", "version", "threat_id"}, operation


def test_the_client_does_without_the_server(tmp_path: Path) -> None:
    """A notebook imports the client, and none of the parts that read logs or serve."""
    del tmp_path
    folder = Path(inspect.getfile(client)).parent
    imported = {
        alias
        for file in folder.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        for alias in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
    }
    assert {name.partition(".")[0] for name in imported} & {"api", "stores", "ingest", "matchers", "feeds"} == set()
