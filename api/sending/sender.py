"""Sending, all together: a thread that follows the store, and one for each target."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import partial

from api.sending import shelf
from api.sending.follow import Follower
from api.sending.outbox import Outbox, outbox_path
from api.sending.post import Ways
from api.sending.reach import networks
from api.sending.targets.misp import MispTarget
from api.sending.targets.stix import StixTarget
from api.sending.targets.syslog import SyslogTarget
from api.sending.targets.target import Target
from api.sending.targets.webhook import WebhookTarget
from api.sending.worker import Worker
from stores.contract import Store
from trailhound import sending
from trailhound.errors import SettingsError
from trailhound.settings import Settings

logger = logging.getLogger(__name__)
_JOIN_SECONDS = 2.0
Make = Callable[[], Target]


def makers(settings: Settings) -> Mapping[str, Make]:
    """Give for each target what opens it. That raises `SendError` or `SettingsError` when it cannot be used."""
    send = settings.send
    ways = Ways(
        seconds=send.timeout_seconds,
        reachable=networks(send.reachable),
        proxy=send.proxy,
        ca_file=send.ca_file,
        secrets=settings.state_dir / "secrets",
    )
    return {name: partial(_make, target, ways, send.link) for name, target in send.targets.items()}


def _make(target: sending.Target, ways: Ways, link: str) -> Target:
    match target:
        case sending.Webhook():
            return WebhookTarget(target, ways, link)
        case sending.Syslog():
            return SyslogTarget(target, ways)
        case sending.Misp():
            return MispTarget(target, ways)
        case sending.Stix():
            return StixTarget(target, ways)
        case _:
            raise SettingsError(f"{type(target).__name__} is no kind of target")


def forget_others(outbox: Outbox, names: Iterable[str]) -> None:
    """Drop what waits for targets that are no longer in the settings, and say so."""
    for name, waiting in outbox.name_targets(names).items():
        logger.warning("%s is no target any more: %d events that waited for it are dropped", name, waiting)


def stop_following(settings: Settings) -> None:
    """Forget all targets, and how far the store was read, since nothing is to be sent any more. Raises `StoreError`."""
    if outbox_path(settings).exists():
        with closing(Outbox(outbox_path(settings))) as outbox:
            forget_others(outbox, ())
            outbox.unfollow()


def keep_sending(settings: Settings, store: Store, stop: threading.Event, begun: int | None = None) -> None:
    """Send until stopped; what is under way then is sent again at the next start. Raises `StoreError`.

    `begun` (µs) is from when on events are of interest at the very first start.
    """
    with closing(Outbox(outbox_path(settings))) as outbox:
        forget_others(outbox, settings.send.targets)
        bells = {name: threading.Event() for name in settings.send.targets}

        def ring() -> None:
            for bell in bells.values():
                bell.set()

        workers = [
            threading.Thread(
                target=Worker(name, settings.send.targets[name], make, outbox).run,
                args=(stop, bells[name]),
                name=f"send-{name}",
                daemon=True,  # One that hangs in a target must not hold up the end.
            )
            for name, make in makers(settings).items()
        ]
        for worker in workers:
            worker.start()
        show = shelf.of_event if settings.send.taxii.enabled else None
        try:
            Follower(settings.send, store, outbox, begun=begun, show=show).run(stop, ring)
        finally:
            stop.set()
            ring()
            for worker in workers:
                worker.join(_JOIN_SECONDS)
