"""The compiled trail set, for sensors far from the Internet."""

import logging
from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from api.access.guarding import own_key
from api.deps import SettingsDep, refuse_unknown
from api.handed import HandedSets
from api.problems import Problem
from trailhound.settings import Settings
from trailhound.sharing import SensorKey

logger = logging.getLogger(__name__)
_BEARER = "Bearer "
_RETRY_SECONDS = 2


async def _holder(request: Request, settings: SettingsDep) -> SensorKey:
    """Tell whose key the request has. Without keys in the settings nobody learns that there is a page."""
    if not settings.handing_on.keys:
        raise HTTPException(404)
    given = request.headers.get("authorization", "")
    found = _match(given.removeprefix(_BEARER).strip(), settings) if given.startswith(_BEARER) else None
    if found is None:
        raise HTTPException(
            401, "A key of handing_on.keys was expected, as Authorization: Bearer KEY.", {"WWW-Authenticate": "Bearer"}
        )
    return found


def _match(key: str, settings: Settings) -> SensorKey | None:
    """Compare with every key, in a time that does not tell which one came near."""
    digest = sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    found: Sequence[SensorKey] = [one for one in settings.handing_on.keys if compare_digest(one.sha256, digest)]
    return found[0] if found else None


# The order matters: whoever has no key is turned away before parameters are looked at.
router = APIRouter(tags=["trails"], dependencies=[own_key()])
HolderDep = Annotated[SensorKey, Depends(_holder)]


@router.get(
    "/trails",
    operation_id="getTrailSet",
    summary="The compiled trail set, for sensors",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/octet-stream": {}}, "description": "The file of the set."},
        304: {"description": "The set is the one whose `ETag` the request named."},
        401: {"description": "The key is missing or unknown.", "model": Problem},
        404: {"description": "`handing_on.keys` is empty.", "model": Problem},
    },
)
def get_trail_set(request: Request, holder: HolderDep, _: Annotated[None, Depends(refuse_unknown)]) -> Response:
    """Give the trail set in force to the holder of a key; custom trails only where its key says so."""
    sets: HandedSets = request.app.state.handed
    handed = sets.get(custom=holder.custom)
    if handed is None:
        raise HTTPException(
            503, "The set without custom trails is being made.", headers={"Retry-After": str(_RETRY_SECONDS)}
        )
    # Weak: two sets of the same trails may differ in when they were made.
    tag = f'W/"{handed.checksum}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "Repr-Digest": f"sha-256=:{handed.digest}:",
        "X-Trailhound-Checksum": handed.checksum,
    }
    if _names(request.headers.get("if-none-match", ""), tag):
        handed.stream.close()
        return Response(status_code=304, headers=headers)
    logger.info("the trail set goes to %s (%d bytes)", holder.name, handed.size)
    headers |= {
        "Content-Length": str(handed.size),
        "Content-Disposition": 'attachment; filename="trails.set"',
        # A set hardly packs; and its length is to be known.
        "Content-Encoding": "identity",
    }
    return StreamingResponse(handed.chunks(), media_type="application/octet-stream", headers=headers)


def _names(condition: str, tag: str) -> bool:
    """Compare weakly, as RFC 9110 asks for `If-None-Match`."""
    return any(one.strip().removeprefix("W/") in (tag.removeprefix("W/"), "*") for one in condition.split(","))
