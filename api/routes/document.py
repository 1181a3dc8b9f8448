"""The description of the API itself."""

from typing import Any

from fastapi import APIRouter, Request

from api.access.guarding import public
from api.older import rendition

router = APIRouter(include_in_schema=False, dependencies=[public()])


@router.get("/openapi.json")
def get_document(request: Request) -> dict[str, Any]:
    """Give the OpenAPI document: the same for every installation of this version."""
    document: dict[str, Any] = request.app.openapi()
    return document


@router.get("/openapi-3.0.json")
def get_older_document(request: Request) -> dict[str, Any]:
    """Give the same for tools that do not read OpenAPI 3.1."""
    return rendition(request.app.openapi())
