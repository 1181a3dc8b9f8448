"""Connections of clients that are slow, on purpose or not: each has so long, and a part of all connections at most."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.networks import Networks
from trailhound import canonical

# Half of all that may be open (`api.serve`): one address alone cannot keep the others out.
CONNECTIONS_PER_ADDRESS = 250
_RECEIVED = frozenset({h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.SWITCHED_PROTOCOL})


class PatientProtocol(H11Protocol):
    """Uvicorn's HTTP/1.1, but a request has to arrive, and an answer to be taken up, in time.

    An answer may take as long as it likes to be made: a live stream has no end.
    """

    seconds: float
    spared: Networks
    _open: Counter[str]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._arriving: asyncio.TimerHandle | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._address = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._open[self._address] += 1
        if self._open[self._address] > CONNECTIONS_PER_ADDRESS and not self._is_spared():
            transport.abort()
            return
        self._arriving = self.loop.call_later(self.seconds, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._arriving, self._leaving):
            if timer is not None:
                timer.cancel()
        self._open[self._address] -= 1
        if not self._open[self._address]:
            del self._open[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._arriving is None and self.conn.their_state is h11.IDLE:
            self._arriving = self.loop.call_later(self.seconds, self.transport.abort)
        super().data_received(data)
        if self._arriving is not None and self.conn.their_state in _RECEIVED:
            self._arriving.cancel()
            self._arriving = None

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not take up what it asked for."""
        super().pause_writing()
        if self._leaving is None:
            self._leaving = self.loop.call_later(self.seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def _is_spared(self) -> bool:
        address = canonical.address(self._address)
        return address is not None and self.spared.holds(address)


def patient(seconds: float, spared: Sequence[str]) -> type[PatientProtocol]:
    """Give the protocol for one server; who is in the networks that are `spared` may have any number of connections."""
    facts = {"seconds": seconds, "spared": Networks(tuple(spared)), "_open": Counter[str]()}
    return type("Patient", (PatientProtocol,), facts)
