"""Webhooks: an event a request, signed as Standard Webhooks has it (`webhook-id`, `webhook-timestamp`, HMAC-SHA256)."""

import base64
import binascii
import hmac
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from http import HTTPStatus

from api.sending.messages import message
from api.sending.post import Answer, Post, Ways
from api.sending.targets.target import Document
from trailhound.errors import SendError
from trailhound.sending import Webhook

_PREFIX = "whsec_"


class WebhookTarget:
    """One webhook. Sent again, an event has the same `webhook-id`: whoever takes it can tell."""

    def __init__(self, settings: Webhook, ways: Ways, link: str = "") -> None:
        self.batch = 1
        self._template = settings.template
        self._link = link
        self._token = ways.secret(settings.token)
        signing = ways.secret(settings.signing_secret)
        self._key = _key(signing, settings.signing_secret) if signing else b""
        hidden = ways.secret(settings.url_secret)
        self._post = Post(
            settings.url or hidden,
            ways,
            private=(self._token, signing, hidden, hidden.partition("://")[2]),
            shown=f"the address in {settings.url_secret}" if hidden else "",
        )

    def send(self, documents: Sequence[Document]) -> int:
        for document in documents:
            body = message(self._template, document, self._link)
            identity = str(document.get("event", {}).get("id", ""))
            self._post(body, self._headers(identity, body), is_well=self._is_there)
        return 0

    def close(self) -> None:
        self._post.close()

    def _headers(self, identity: str, body: bytes) -> Mapping[str, str]:
        at = str(int(time.time()))
        headers = {"Content-Type": "application/json", "webhook-id": identity, "webhook-timestamp": at}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._key:
            signed = hmac.new(self._key, f"{identity}.{at}.".encode() + body, sha256).digest()
            headers["webhook-signature"] = f"v1,{base64.b64encode(signed).decode()}"
        return headers

    def _is_there(self, answer: Answer) -> bool:
        """Tell whether TheHive refuses an alert because it has it already: an answer of ours was lost."""
        is_refusal = answer.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT)
        return self._template == "thehive" and is_refusal and b"already exist" in answer.body


def _key(secret: str, name: str) -> bytes:
    """Read the key: base64 after `whsec_`, else the text itself."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise SendError(f"the secret {name}: base64 was expected after {_PREFIX}") from error
