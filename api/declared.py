"""What the OpenAPI document says of answers that are given before any route is asked.

The middlewares and the owner of a route turn requests away for all routes alike; a client that is generated from the
document has to know of that too.
"""

from typing import Any

from api.problems import MEDIA_TYPE

_PROBLEM = {"schema": {"$ref": "#/components/schemas/Problem"}}
_WAIT = {"description": "For how many seconds to wait.", "required": True, "schema": {"type": "integer", "minimum": 1}}
_CHALLENGE = {"description": "What credentials were expected.", "required": True, "schema": {"type": "string"}}
_ALWAYS: dict[str, dict[str, Any]] = {
    "400": {"description": "The request cannot be answered as it is."},
    "421": {"description": "`Host` is no name of this host (`api.names`)."},
    "429": {"description": "Too many requests.", "headers": {"Retry-After": _WAIT}},
    "500": {"description": "Something is broken; the log of Trailhound says more."},
    "503": {"description": "What is needed for an answer is not there; `Retry-After` says when to try again."},
}
_SCOPED: dict[str, dict[str, Any]] = {
    "401": {
        "description": "Credentials were expected, or these are good no more.",
        "headers": {"WWW-Authenticate": _CHALLENGE},
    },
    "403": {"description": "These credentials do not allow it."},
}
_CHANGING: dict[str, dict[str, Any]] = {
    "413": {"description": "The body is larger than `api.max_body_bytes`."},
    "415": {"description": "A body of JSON was expected."},
}


def declare(method: str, operation: dict[str, Any]) -> None:
    """Add to an operation what it may be answered without its route, and that it wants the version somebody saw."""
    is_scoped = "x-scope" in operation and {} not in operation["security"]
    further = {**_ALWAYS, **(_SCOPED if is_scoped else {}), **(_CHANGING if method != "get" else {})}
    if {} in operation["security"]:
        further["404"] = {"description": "There is no such page, or none for this client."}
    responses = operation["responses"]
    for status, answer in further.items():
        responses.setdefault(status, answer).setdefault("content", {}).setdefault(MEDIA_TYPE, _PROBLEM)
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "If-Match":
            # Declared as optional, so that its absence is a 428, which tells more than a 422.
            parameter |= {"required": True, "schema": {**parameter["schema"].pop("anyOf")[0], **parameter["schema"]}}
