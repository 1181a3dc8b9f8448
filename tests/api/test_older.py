import json
from typing import Any

import pytest
from fastapi import FastAPI
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from api.access.guarding import operations
from api.older import _schema, rendition
from tests.api.client import AppClient


def test_both_documents_are_valid(client: AppClient) -> None:
    newer, older = (client.anonymous.json(path) for path in ("/openapi.json", "/openapi-3.0.json"))
    OpenAPIV31SpecValidator(newer).validate()
    OpenAPIV30SpecValidator(older).validate()
    assert older["openapi"] == "3.0.3"
    assert '"null"' not in json.dumps(older)


def test_both_have_the_same_operations(app: FastAPI) -> None:
    newer = app.openapi()
    before = json.dumps(newer)
    older = rendition(newer)
    assert json.dumps(newer) == before
    assert [one["operationId"] for one in operations(older)] == [one["operationId"] for one in operations(newer)]
    assert older["components"]["schemas"].keys() == newer["components"]["schemas"].keys()


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string", "nullable": True}),
        (
            {"anyOf": [{"$ref": "#/x"}, {"type": "null"}], "title": "X"},
            {"allOf": [{"$ref": "#/x"}], "title": "X", "nullable": True},
        ),
        ({"$ref": "#/x", "description": "X"}, {"allOf": [{"$ref": "#/x"}], "description": "X"}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "minimum": 0, "exclusiveMinimum": True}),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, {"type": "array", "items": {}}),
        ({"examples": [1, 2]}, {"example": 1}),
        ({"properties": {"const": {"const": 1}}}, {"properties": {"const": {"enum": [1]}}}),
    ],
)
def test_what_the_older_version_does_not_have_is_said_otherwise(newer: dict[str, Any], older: dict[str, Any]) -> None:
    assert _schema(newer) == older
