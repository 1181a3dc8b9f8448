"""What goes out follows the store in Elasticsearch: through kills and rollovers each event is queued once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from api.sending.follow import Follower
from api.sending.outbox import Outbox
from stores.contract import Store
from tests.elasticsearch.place import Place
from tests.sending.receivers import until
from tests.stores.factory import START, make_event
from trailhound.event import Event
from trailhound.sending import Send, Webhook

_SEND = Send(webhooks={"hook": Webhook(url="https://soc.example/hook")})
# Follows until it is killed; says when it has begun.
_FOLLOW = """
import sys, threading
from pathlib import Path
from elasticsearch import Elasticsearch
from api.sending.follow import Follower
from api.sending.outbox import Outbox
from stores.elastic.names import Names
from stores.elastic.store import open_elastic
from tests.elasticsearch.test_following import _SEND
store = open_elastic(Elasticsearch(sys.argv[1]), Names(sys.argv[2]))
follower = Follower(_SEND, store, Outbox(Path(sys.argv[3])), begun=0)
follower.step()
print("begun", flush=True)
follower.run(threading.Event())
"""


def _events(begin: int, end: int) -> Sequence[Event]:
    return [
        make_event(identity=f"{number}", start=START + number, ingested=START + number) for number in range(begin, end)
    ]


def _ids(*several: Sequence[Event]) -> list[str]:
    return sorted(event.id for events in several for event in events)


def _waiting(path: Path) -> list[str]:
    outbox = Outbox(path)
    try:
        return sorted(letter.event for letter in outbox.due("hook", 2**62, 10_000))
    finally:
        outbox.close()


def _number(path: Path) -> int:
    outbox = Outbox(path)
    try:
        return outbox.statuses()[0].waiting
    finally:
        outbox.close()


def _holds(path: Path, number: int) -> bool:
    return _number(path) >= number


def _drain(store: Store, path: Path) -> None:
    """Follow as a new process does, to the end."""
    outbox = Outbox(path)
    follower = Follower(_SEND, store, outbox, begun=0)
    while follower.step():
        pass
    outbox.close()


def _outbox(folder: Path) -> Path:
    path = folder / "outbox.sqlite"
    outbox = Outbox(path)
    outbox.name_targets(["hook"])
    outbox.close()
    return path


@contextmanager
def _following(place: Place, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Follow in a process of its own, which is killed in the end."""
    command = [sys.executable, "-c", _FOLLOW, place.url, place.names.namespace, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "begun\n"
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_a_follower_that_is_killed_goes_on_where_it_was(place: Place, tmp_path: Path) -> None:
    path = _outbox(tmp_path)
    first, second, third = _events(0, 700), _events(700, 1400), _events(1400, 1500)
    with place.store() as store:
        store.append(first)
        with _following(place, path):
            until(partial(_holds, path, 700), "the first events")
        store.append(second)
        place.roll_over()
        store.append(third)
        assert _waiting(path) == _ids(first)
        with _following(place, path):
            until(partial(_holds, path, 1500), "all events")
    assert _waiting(path) == _ids(first, second, third)


def test_nothing_is_lost_whenever_the_follower_is_killed(place: Place, tmp_path: Path) -> None:
    """Kill it in the middle of a page, again and again, while events arrive and the index rolls over."""
    path = _outbox(tmp_path)
    batches = [_events(begin, begin + 600) for begin in range(0, 1800, 600)]
    with place.store() as store:
        for number, batch in enumerate(batches):
            store.append(batch)
            if number % 2:
                place.roll_over()
            known = _number(path)
            with _following(place, path):
                # A page is 500 events: it dies with one of them queued, and the next in hand.
                until(partial(_holds, path, known + 1), "a page of events")
        _drain(store, path)
    assert _waiting(path) == _ids(*batches)


def test_an_index_that_is_deleted_takes_nothing_else_with_it(place: Place, tmp_path: Path) -> None:
    """Retention deletes the index in which the last event stood that was sent: what came since is still sent, once."""
    path = _outbox(tmp_path)
    old, new = _events(0, 20), _events(20, 40)
    with place.store() as store:
        store.append(old)
        _drain(store, path)
        place.roll_over()
        store.append(new)
        oldest = min(place.client.indices.get(index=place.names.events).body)
        place.client.indices.delete(index=oldest)
        _drain(store, path)
        assert _waiting(path) == _ids(old, new)
