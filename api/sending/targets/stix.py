"""Sightings in STIX 2.1, posted to a collection of a TAXII server or to whoever takes bundles."""

import base64
from collections.abc import Mapping, Sequence

import orjson

from api.sending.post import Post, Ways
from api.sending.sightings import Object, bundle, sighting
from api.sending.targets.target import Document
from trailhound.sending import Stix

TAXII = "application/taxii+json;version=2.1"
STIX = "application/stix+json;version=2.1"
_BATCH = 50


class StixTarget:
    """One receiver. Events whose trails STIX has no words for are of no use to it."""

    def __init__(self, settings: Stix, ways: Ways) -> None:
        self.batch = _BATCH
        self._form = settings.form
        token, password = ways.secret(settings.token), ways.secret(settings.password)
        self._credentials = f"Bearer {token}" if token else ""
        if settings.user:
            pair = base64.b64encode(f"{settings.user}:{password}".encode()).decode()
            self._credentials = f"Basic {pair}"
        self._post = Post(settings.url, ways, private=(token, password, self._credentials.partition(" ")[2]))

    def send(self, documents: Sequence[Document]) -> int:
        found = [sighting(document) for document in documents]
        objects = {one["id"]: one for made in found if made is not None for one in made.objects}
        if objects:
            ids = " ".join(str(document.get("event", {}).get("id", "")) for document in documents)
            self._post(self._body(list(objects.values()), ids), self._headers())
        return found.count(None)

    def close(self) -> None:
        self._post.close()

    def _body(self, objects: Sequence[Object], name: str) -> bytes:
        return orjson.dumps({"objects": objects} if self._form == "taxii" else bundle(objects, name))

    def _headers(self) -> Mapping[str, str]:
        kind = TAXII if self._form == "taxii" else STIX
        headers = {"Content-Type": kind, "Accept": TAXII if self._form == "taxii" else "*/*"}
        return headers | ({"Authorization": self._credentials} if self._credentials else {})
