"""A pipeline with the real embedded store, and a store that has moods."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ingest.pipeline import Pipeline
from matchers.trailset import TrailSet
from stores.contract import Acknowledgement, Dimension, Query, SensorStatus, Store
from stores.embedded import open_embedded
from stores.embedded.store import EmbeddedStore
from tests.ingest.living import engine, name
from trailhound.errors import StoreDamaged, StorePartly, StoreUnavailable
from trailhound.event import Event
from trailhound.settings import Settings

PATIENCE = 20.0  # Seconds; what is waited for comes much earlier, or never.
NAMES = 2000


class Moody:
    """The real store, with moods: what to do at each append, in turn; then it is well."""

    def __init__(self, store: Store, moods: Sequence[str] = ()) -> None:
        self._store = store
        self.moods = list(moods)
        self._odd = False
        self.before: Callable[[Sequence[Event]], None] = lambda events: None

    def append(self, events: Sequence[Event]) -> Acknowledgement:
        self.before(events)
        mood = self.moods.pop(0) if self.moods else "well"
        if mood == "away":
            raise StoreUnavailable("the store is restarting")
        if mood == "partly":
            # About every second event is refused, each time others.
            self._odd = not self._odd
            kept = [event for event in events if int(event.id[-1], 32) % 2 == self._odd]
            self._store.append(kept)
            raise StorePartly("too busy for some", {event.id for event in events} - {event.id for event in kept})
        acknowledgement = self._store.append(events)
        if mood == "mute":
            raise StoreUnavailable("the answer was lost")
        if mood == "broken":
            raise StoreDamaged("the file is damaged")
        return acknowledgement

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


@dataclass
class Place:
    """Folders of one installation."""

    root: Path
    trails: TrailSet
    more: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in (self.logs, self.state):
            path.mkdir(parents=True, exist_ok=True)

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def log(self) -> Path:
        return self.logs / "dns.log"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def settings(self) -> Settings:
        logs = {"folders": [{"path": self.logs, "sensor": "dmz"}], "poll_seconds": 0.2, **self.more}
        return Settings(state_dir=self.state, logs=logs)

    @contextmanager
    def store(self) -> Iterator[Store]:
        with closing(open_embedded(self.settings.store_path)) as store:
            yield store

    def pipeline(self, store: Store | Moody) -> Pipeline:
        return Pipeline(self.settings, engine(self.trails), store)  # type: ignore[arg-type] # a Moody is a Store, too

    @contextmanager
    def running(self, store: Store | Moody) -> Iterator[Pipeline]:
        with self.at_work(self.pipeline(store)) as pipeline:
            yield pipeline

    @contextmanager
    def at_work(self, pipeline: Pipeline) -> Iterator[Pipeline]:
        ready = threading.Event()
        thread = threading.Thread(target=pipeline.run, args=(ready.set,))
        thread.start()
        try:
            assert ready.wait(PATIENCE)
            yield pipeline
        finally:
            pipeline.stop()
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def letters(self) -> list[int]:
        path = self.settings.dead_letters_path
        return [json.loads(line)["line"] for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.01)


def counts(store: Store | Moody) -> dict[str, int]:
    """Give the true count of each trail in the store."""
    assert isinstance(store, Moody | EmbeddedStore)
    return {top.value: top.count for top in store.top(Query(), Dimension.TRAIL, limit=NAMES)}  # type: ignore[operator]


def once(numbers: Sequence[int] | range) -> dict[str, int]:
    return {name(number): 1 for number in numbers}


def status_of(store: Store | Moody) -> SensorStatus | None:
    sensors = store.sensors()  # type: ignore[operator]
    return sensors[0] if sensors else None
