"""The OpenAPI document as version 3.0.3 has it, for tools that do not read 3.1 yet."""

from collections.abc import Mapping
from typing import Any

VERSION = "3.0.3"
_NULL = {"type": "null"}
_LISTS = ("anyOf", "allOf", "oneOf")
_BOUNDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
# Words of 3.1 that say nothing more where they stand in documents of ours.
_UNKNOWN = frozenset({"prefixItems", "contentMediaType", "contentEncoding", "propertyNames"})


def rendition(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the same API in the older version; the document itself is left as it is."""
    older = _anywhere(document)
    info = {name: value for name, value in older["info"].items() if name != "summary"}
    if "license" in info:
        info["license"] = {name: value for name, value in info["license"].items() if name != "identifier"}
    components = dict(older.get("components", {}))
    components["schemas"] = {name: _schema(one) for name, one in document["components"]["schemas"].items()}
    return {**older, "openapi": VERSION, "info": info, "components": components}


def _anywhere(value: Any) -> Any:
    """Go through what is no schema itself."""
    if isinstance(value, list):
        return [_anywhere(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _schema(one) if name == "schema" else one if name in ("example", "examples") else _anywhere(one)
        for name, one in value.items()
    }


def _schema(schema: Any) -> dict[str, Any]:
    if not isinstance(schema, dict):
        return {} if schema else {"not": {}}
    older = {name: value for name, value in schema.items() if name not in _UNKNOWN}
    if "properties" in older:
        older["properties"] = {name: _schema(one) for name, one in older["properties"].items()}
    for name in ("items", "not"):
        if name in older:
            older[name] = _schema(older[name])
    if isinstance(older.get("additionalProperties"), dict):
        older["additionalProperties"] = _schema(older["additionalProperties"])
    if "prefixItems" in schema:
        older["items"] = {}
    if "const" in older:
        older["enum"] = [older.pop("const")]
    if isinstance(older.get("examples"), list):
        older["example"] = older.pop("examples")[0]
    for word, bound in _BOUNDS.items():
        if word in older and not isinstance(older[word], bool):
            older |= {bound: older[word], word: True}
    return _nullable(older)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Say with `nullable` what 3.1 says with a type of its own; put what stands beside a reference around it."""
    is_nullable = False
    if isinstance(schema.get("type"), list):
        types = [one for one in schema["type"] if one != "null"]
        is_nullable = len(types) < len(schema["type"])
        del schema["type"]
        if len(types) == 1:
            schema["type"] = types[0]
        elif types:
            schema["anyOf"] = [{"type": one} for one in types]
    for word in _LISTS:
        if word in schema:
            is_nullable |= _NULL in schema[word]
            schema[word] = [_schema(one) for one in schema[word] if one != _NULL]
    if is_nullable and len(schema.get("anyOf", ())) == 1:
        schema = {**schema.pop("anyOf")[0], **schema}
    if "$ref" in schema and (is_nullable or len(schema) > 1):
        schema = {"allOf": [{"$ref": schema.pop("$ref")}], **schema}
    return {**schema, "nullable": True} if is_nullable else schema
