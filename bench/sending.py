"""Measure sending out: how fast events go from the store into the outbox, and from there to targets on this host.

python -m bench.sending
python -m bench.sending --events 50000
"""

import argparse
import asyncio
import multiprocessing
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

from api.sending.follow import Follower
from api.sending.outbox import Outbox
from api.sending.sender import makers
from api.sending.worker import Worker
from bench.lists import attack
from stores.embedded import open_embedded
from trailhound.record import MICROSECONDS
from trailhound.sending import Send, Syslog, Target, Webhook
from trailhound.settings import Settings

_PIECE = 262_144
_BATCH = 2_000
_LOOK = 0.005
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class _Datagrams(asyncio.DatagramProtocol):
    """Takes datagrams and does nothing with them."""


async def _hook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer requests with a body, as many as come."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
            [length] = [int(value) for name, _, value in lines if name == b"content-length"]
            await reader.readexactly(length)
            writer.write(_OK)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _drink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(_PIECE):
        pass
    writer.close()


def _receive(answer: Connection, certificate: Path) -> None:
    """Receive as all kinds of targets, in a process of its own, until killed; tell the ports."""

    async def serve() -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        servers = [
            await asyncio.start_server(_hook, "127.0.0.1", 0),
            await asyncio.start_server(_drink, "127.0.0.1", 0),
            await asyncio.start_server(_drink, "127.0.0.1", 0, ssl=context),
        ]
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_Datagrams, ("127.0.0.1", 0))
        ports = [server.sockets[0].getsockname()[1] for server in servers]
        answer.send([*ports, transport.get_extra_info("sockname")[1]])
        await asyncio.Event().wait()

    asyncio.run(serve())


def _targets(ports: Sequence[int]) -> dict[str, Send]:
    hook, tcp, tls, udp = ports
    return {
        "webhook": Send(webhooks={"target": Webhook(url=f"http://127.0.0.1:{hook}/")}),
        "syslog over UDP, CEF": Send(syslog={"target": Syslog(host="127.0.0.1", port=udp, transport="udp")}),
        "syslog over TCP, CEF": Send(syslog={"target": Syslog(host="127.0.0.1", port=tcp)}),
        "syslog over TCP, JSON": Send(syslog={"target": Syslog(host="127.0.0.1", port=tcp, form="json")}),
        "syslog over TLS, CEF": Send(syslog={"target": Syslog(host="127.0.0.1", port=tls, transport="tls")}),
    }


def _measure(name: str, settings: Settings, store_path: Path, number: int) -> None:
    """Queue all events of a store for one target, and send them."""
    [target] = settings.send.targets.values()
    with (
        closing(open_embedded(store_path, read_only=True)) as store,
        closing(Outbox(settings.state_dir / f"{name}.sqlite")) as outbox,
    ):
        outbox.name_targets(settings.send.targets)
        began = time.monotonic()
        follower = Follower(settings.send, store, outbox, begun=0)
        while follower.step():
            pass
        queued = time.monotonic() - began
        sent = _send(target, settings, outbox, number)
    print(f"| {name} | {number / queued:,.0f} | {number / sent:,.0f} |")


def _send(target: Target, settings: Settings, outbox: Outbox, number: int) -> float:
    """Send all that waits; give how long that took."""
    stop, bell = threading.Event(), threading.Event()
    worker = Worker("target", target, makers(settings)["target"], outbox)
    thread = threading.Thread(target=worker.run, args=(stop, bell))
    began = time.monotonic()
    thread.start()
    while outbox.statuses()[0].delivered < number:
        time.sleep(_LOOK)
    took = time.monotonic() - began
    stop.set()
    bell.set()
    thread.join()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sending", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="how many are sent to each target")
    chosen = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        authority = trustme.CA()
        certificate, trusted = folder / "receiver.pem", folder / "authority.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        authority.cert_pem.write_to_path(str(trusted))
        store_path, now = folder / "events.sqlite", time.time_ns() // 1000
        with closing(open_embedded(store_path)) as store:
            for begin in range(0, chosen.events, _BATCH):
                end = min(begin + _BATCH, chosen.events)
                store.append([attack(number, now - MICROSECONDS) for number in range(begin, end)])
        answers, answer = multiprocessing.Pipe(duplex=False)
        receiver = multiprocessing.Process(target=_receive, args=(answer, certificate), daemon=True)
        receiver.start()
        print("| target | queued, events/s | sent, events/s |\n|---|--:|--:|")
        for kind, send in _targets(answers.recv()).items():
            trusting = send.model_copy(update={"ca_file": trusted})
            _measure(kind, Settings(state_dir=folder, send=trusting), store_path, chosen.events)
        receiver.kill()


if __name__ == "__main__":
    main()
