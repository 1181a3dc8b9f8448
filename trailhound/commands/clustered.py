"""The store in Elasticsearch that the settings describe. Whoever keeps events in a file need not import this."""

from ingest import refused
from ingest.deadletters import DeadLetters
from ingest.heartbeat import now
from stores.contract import Store
from stores.desk import Desk
from stores.elastic import connect
from stores.elastic.desk import open_elastic_desk
from stores.elastic.names import Names
from stores.elastic.store import open_elastic
from trailhound.errors import StoreUnavailable
from trailhound.event import Event, timestamp
from trailhound.settings import Settings


def open_clustered_desk(settings: Settings) -> Desk:
    """Open the desk of all sensors and consoles of a namespace. Raises `SettingsError`."""
    cluster = settings.store.elasticsearch
    return open_elastic_desk(connect.client(cluster, settings.state_dir / "secrets"), Names(cluster.namespace))


def open_clustered(settings: Settings, *, read_only: bool = False) -> Store:
    """Open the store; what Elasticsearch will never take goes to the dead letters. Raises `SettingsError`."""
    cluster = settings.store.elasticsearch
    path = settings.dead_letters_path
    letters = DeadLetters(path)

    def bury(event: Event, reason: str) -> None:
        try:
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            refused.bury(letters, event, reason, timestamp(now()))
        except OSError as error:
            # The event is given again, until its letter can be written.
            raise StoreUnavailable(f"{path}: dead letters cannot be written: {error.strerror}") from error

    client = connect.client(cluster, settings.state_dir / "secrets")
    return open_elastic(client, Names(cluster.namespace), read_only=read_only, refused=bury)
