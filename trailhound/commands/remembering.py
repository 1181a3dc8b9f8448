"""The observable memory of this host, written beside the reading of logs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ingest.observables import Gatherer
from stores.observables import FILE, ObservableMemory
from trailhound.settings import Settings


@contextmanager
def remembering(settings: Settings) -> Iterator[Gatherer | None]:
    """Give what gathers observables, None where they are off; at the end all that it has is written."""
    if not settings.observables.enabled:
        yield None
        return
    memory = ObservableMemory(settings.state_dir / FILE, settings.observables.max_rows)
    gatherer = Gatherer(memory)
    stop = threading.Event()
    thread = threading.Thread(target=gatherer.run, args=(stop,), name="observables", daemon=True)
    thread.start()
    try:
        yield gatherer
    finally:
        stop.set()
        thread.join()
        memory.close()
