"""What the parts of one namespace are called in Elasticsearch; a namespace is a tenant that touches no other."""

import re
from dataclasses import dataclass

from trailhound.errors import SettingsError

DATASET = "trailhound.event"
# What data streams take: no `-`, which parts their names; room for the date and generation of a backing index.
NAMESPACE = re.compile(r"[a-z0-9][a-z0-9_.]{0,99}")

# Shared by all namespaces, since they say nothing that could differ.
EVENT_MAPPINGS = "trailhound-event-mappings"
EVENT_SETTINGS = "trailhound-event-settings"
EVENT_CUSTOM = f"logs-{DATASET}@custom"


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one namespace. Raises `SettingsError` for what cannot be one."""

    namespace: str = "default"

    def __post_init__(self) -> None:
        if not NAMESPACE.fullmatch(self.namespace):
            raise SettingsError(
                f"store.elasticsearch.namespace = {self.namespace[:120]!r}: at most 100 lower-case letters, digits,"
                " `_` and `.` were expected"
            )

    @property
    def events(self) -> str:
        """The data stream of events; its index template has the same name."""
        return f"logs-{DATASET}-{self.namespace}"

    @property
    def component(self) -> str:
        """The component template with what may differ between namespaces; no namespace can have a shared one's name."""
        return f"trailhound-event@{self.namespace}"

    @property
    def custom(self) -> str:
        """The component template that is left to the user, for this namespace alone."""
        return f"{self.events}@custom"

    @property
    def policy(self) -> str:
        """The lifecycle policy of events."""
        return f"trailhound-events-{self.namespace}"

    @property
    def threats(self) -> str:
        return f"trailhound-threats-{self.namespace}"

    @property
    def observables(self) -> str:
        return f"trailhound-observables-{self.namespace}"

    @property
    def sensors(self) -> str:
        return f"trailhound-sensors-{self.namespace}"

    @property
    def indices(self) -> dict[str, str]:
        """The plain indices, by what they hold."""
        return {"threats": self.threats, "observables": self.observables, "sensors": self.sensors}

    @property
    def everything(self) -> str:
        """All indices of this namespace, as one target of a request."""
        return ",".join((self.events, *self.indices.values()))
