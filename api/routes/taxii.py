"""TAXII 2.1, for reading: indicators that were met, and sightings of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, HTTPException, Path, Query, Request, Response

from api.access.guarding import PrincipalDep, needs
from api.access.principal import Scope
from api.deps import SettingsDep
from api.problems import Problem, parameter_error
from api.sending.letters import Asked, Shown
from api.sending.outbox import Outbox
from api.sending.shelf import COLLECTIONS
from trailhound.event import timestamp
from trailhound.record import MICROSECONDS

MEDIA_TYPE = "application/taxii+json;version=2.1"
ROOT = "/taxii2/detections/"
STIX = "application/stix+json;version=2.1"
_ACCEPTED = frozenset({"application/taxii+json", "application/*", "*/*"})
_MAX_LIMIT = 1000
_LATEST = int(datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp()) * MICROSECONDS
_MAX_BODY = 104_857_600
_ADDED_FIRST = "X-TAXII-Date-Added-First"
_ADDED_LAST = "X-TAXII-Date-Added-Last"
_LIST = {"max_length": 4000, "description": "Only objects with one of these, with commas between them."}


async def _is_served(
    settings: SettingsDep,
    # OpenAPI itself says what an operation answers with: it forbids a parameter of this name.
    accept: Annotated[str, Header(max_length=1000, include_in_schema=False)] = MEDIA_TYPE,
) -> None:
    """See that there is a server, and that the client speaks its language."""
    if not settings.send.taxii.enabled:
        raise HTTPException(404)
    for one in accept.lower().split(","):
        kind, *parameters = (part.strip().replace(" ", "") for part in one.split(";"))
        versions = [part for part in parameters if part.startswith("version=")]
        if kind in _ACCEPTED and all(version == "version=2.1" for version in versions):
            return
    raise HTTPException(406, f"{MEDIA_TYPE} is all that this server speaks.")


async def _collection(
    collection: Annotated[
        str,
        Path(
            max_length=64,
            description="Id of the collection.",
            openapi_examples={title: {"value": name} for name, (title, _) in COLLECTIONS.items()},
        ),
    ],
) -> str:
    if collection not in COLLECTIONS:
        raise HTTPException(404, "There is no such collection.")
    return collection


async def _asked(
    collection: Annotated[str, Depends(_collection)],
    principal: PrincipalDep,
    added_after: Annotated[
        str | None, Query(max_length=40, description="Only objects that were added after then (RFC 3339).")
    ] = None,
    next_: Annotated[
        str | None, Query(alias="next", max_length=40, description="Where to go on: `next` of the answer before.")
    ] = None,
    ids: Annotated[str | None, Query(alias="match[id]", **_LIST)] = None,
    types: Annotated[str | None, Query(alias="match[type]", **_LIST)] = None,
    version: Annotated[str | None, Query(alias="match[version]", **_LIST)] = None,
    spec_version: Annotated[str | None, Query(alias="match[spec_version]", **_LIST)] = None,
) -> Asked:
    after = max(_moment("added_after", added_after), _number(next_))
    given = () if version is None or {"all", "first", "last"} & set(_parts(version)) else _parts(version)
    wrong_spec = spec_version is not None and "2.1" not in _parts(spec_version)
    return Asked(
        "" if wrong_spec else collection,
        after=after,
        ids=_parts(ids),
        types=_parts(types),
        versions=tuple(map(_millis, given)),
        custom=principal.sees_custom,
    )


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _number(text: str | None) -> int:
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise parameter_error("next", "the `next` of the answer before was expected")
    return int(text)


def _moment(name: str, text: str | None) -> int:
    if text is None:
        return 0
    try:
        moment = datetime.fromisoformat(text)
        whole = int(moment.replace(microsecond=0, tzinfo=moment.tzinfo or UTC).timestamp())
    except (ValueError, OverflowError) as error:
        raise parameter_error(name, "a time such as 2026-02-01T12:00:00.000000Z was expected") from error
    return max(0, whole * MICROSECONDS + moment.microsecond)


def _millis(text: str) -> str:
    """Write a version as objects have theirs."""
    # A local time at the end of the calendar is later than it in UTC.
    at = min(_moment("match[version]", text), _LATEST)
    moment = datetime.fromtimestamp(at // MICROSECONDS, UTC)
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{at % MICROSECONDS // 1000:03d}Z"


async def _outbox(request: Request) -> Outbox:
    outbox: Outbox = request.app.state.outbox
    return outbox


OutboxDep = Annotated[Outbox, Depends(_outbox)]
CollectionDep = Annotated[str, Depends(_collection)]
AskedDep = Annotated[Asked, Depends(_asked)]
Limit = Annotated[int, Query(ge=1, le=_MAX_LIMIT, description="How many at most.")]
router = APIRouter(
    prefix="/taxii2",
    tags=["taxii"],
    dependencies=[needs(Scope.READ, whole=True), Depends(_is_served)],
    default_response_class=Response,
    responses={
        200: {"content": {MEDIA_TYPE: {"schema": {"type": "object"}}}, "description": "As TAXII 2.1 has it."},
        404: {"description": "`send.taxii.enabled` is off, or there is no such thing.", "model": Problem},
        406: {"description": "The client does not take TAXII 2.1.", "model": Problem},
    },
)


@router.get("/", operation_id="discoverTaxii", summary="TAXII: what this server has")
def discover() -> Response:
    """Give where the collections are. The address is relative, so that it is right behind any proxy."""
    return _answer(
        {
            "title": "Trailhound",
            "description": "Threat indicators that were met in logs of Zeek and Suricata.",
            "default": ROOT,
            "api_roots": [ROOT],
        }
    )


@router.get("/detections/", operation_id="getTaxiiRoot", summary="TAXII: the one API root")
def get_root() -> Response:
    """Give what the root speaks."""
    return _answer({"title": "Detections", "versions": [MEDIA_TYPE], "max_content_length": _MAX_BODY})


@router.get("/detections/collections/", operation_id="listTaxiiCollections", summary="TAXII: all collections")
def list_collections() -> Response:
    """Give the collections, all for reading."""
    return _answer({"collections": [_described(collection) for collection in COLLECTIONS]})


@router.get("/detections/collections/{collection}/", operation_id="getTaxiiCollection", summary="TAXII: one collection")
def get_collection(collection: CollectionDep) -> Response:
    """Give what a collection is."""
    return _answer(_described(collection))


@router.get(
    "/detections/collections/{collection}/objects/",  # noqa: FAST003 - `_asked` reads it
    operation_id="listTaxiiObjects",
    summary="TAXII: objects of a collection",
)
def list_objects(asked: AskedDep, outbox: OutboxDep, limit: Limit = 100) -> Response:
    """Give objects in the order in which they were added, a page at a time."""
    found, more = _page(outbox, asked, limit)
    return _envelope(found, [orjson.Fragment(one.body) for one in found], more=more)


@router.get(
    "/detections/collections/{collection}/manifest/",  # noqa: FAST003 - `_asked` reads it
    operation_id="listTaxiiManifest",
    summary="TAXII: what objects a collection has",
)
def list_manifest(asked: AskedDep, outbox: OutboxDep, limit: Limit = 100) -> Response:
    """Give the ids of objects, with when they were added."""
    found, more = _page(outbox, asked, limit)
    entries = [
        {
            "id": one.id,
            "date_added": timestamp(one.added),
            "version": one.version or timestamp(one.added),
            "media_type": STIX,
        }
        for one in found
    ]
    return _envelope(found, entries, more=more)


@router.get(
    "/detections/collections/{collection}/objects/{object_id}/",  # noqa: FAST003 - `_asked` reads it
    operation_id="getTaxiiObject",
    summary="TAXII: one object",
)
def get_object(
    asked: AskedDep,
    outbox: OutboxDep,
    object_id: Annotated[str, Path(max_length=128, description="Id of the object.")],
    limit: Limit = 100,
) -> Response:
    """Give an object; a collection keeps one version of each."""
    found = _one(outbox, asked, object_id, limit)
    return _envelope(found, [orjson.Fragment(one.body) for one in found])


@router.get(
    "/detections/collections/{collection}/objects/{object_id}/versions/",  # noqa: FAST003 - `_asked` reads it
    operation_id="listTaxiiVersions",
    summary="TAXII: versions of one object",
)
def list_versions(
    asked: AskedDep,
    outbox: OutboxDep,
    object_id: Annotated[str, Path(max_length=128, description="Id of the object.")],
    limit: Limit = 100,
) -> Response:
    """Give which versions of an object there are."""
    found = _one(outbox, asked, object_id, limit)
    return _envelope(found, [one.version or timestamp(one.added) for one in found], name="versions")


def _page(outbox: Outbox, asked: Asked, limit: int) -> tuple[Sequence[Shown], bool]:
    found = outbox.shown(asked, limit + 1)
    return found[:limit], len(found) > limit


def _described(collection: str) -> dict[str, Any]:
    title, description = COLLECTIONS[collection]
    return {
        "id": collection,
        "title": title,
        "description": description,
        "can_read": True,
        "can_write": False,
        "media_types": [STIX],
    }


def _one(outbox: Outbox, asked: Asked, object_id: str, limit: int) -> Sequence[Shown]:
    """Give the version of an object, or none when the conditions leave it out. Raises 404 for an unknown object."""
    every = Asked(asked.collection, ids=(object_id,), custom=asked.custom)
    if asked.collection and not outbox.shown(every, 1):
        raise HTTPException(404, "There is no such object.")
    return outbox.shown(replace(asked, ids=(object_id,)), limit)


def _envelope(found: Sequence[Shown], items: Sequence[Any], *, more: bool = False, name: str = "objects") -> Response:
    """Answer with a page; an empty one is an empty object, as the protocol has it."""
    body: dict[str, Any] = {name: items} if items else {}
    headers = {}
    if found:
        headers = {_ADDED_FIRST: timestamp(found[0].added), _ADDED_LAST: timestamp(found[-1].added)}
    if more:
        body |= {"more": True, "next": str(found[-1].added)}
    return _answer(body, headers)


def _answer(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store", **(headers or {})})
