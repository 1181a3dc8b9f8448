"""How PyMISP reaches its instance: only that one, with our certificates, and never more than a document may have."""

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from feeds.line import trust
from feeds.manners import MIB, Manners

_CHUNK = 256 * 1024


class Guarded(HTTPAdapter):
    """Refuses redirects, which would take the key along, and answers that are too large."""

    def __init__(self, url: str, manners: Manners) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self.port = parts.port or 443
        self._most = manners.max_bytes
        self._trusted = trust(manners)
        ends = tuple(f".{suffix.strip('.').lower()}" for suffix in manners.direct)
        self.is_direct = f".{self.host}".endswith(ends) if ends else False
        super().__init__()

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        super().init_poolmanager(*args, **named, ssl_context=self._trusted)

    def proxy_manager_for(self, *args: Any, **named: Any) -> Any:
        return super().proxy_manager_for(*args, **named, ssl_context=self._trusted)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the signature is that of requests
        timeout: Any = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        del stream
        response = super().send(request, stream=True, timeout=timeout, verify=verify, cert=cert, proxies=proxies)
        if response.is_redirect:
            raise requests.TooManyRedirects("it redirects; the address that it leads to was expected")
        content = bytearray()
        for chunk in response.iter_content(_CHUNK):
            content += chunk
            if len(content) > self._most:
                raise requests.ConnectionError(f"an answer is larger than {self._most // MIB:,} MiB")
        # requests reads it from here, as if it had been read without a limit.
        response._content = bytes(content)  # noqa: SLF001
        return response
