"""Beacons by name: calls of one host for one name, whichever addresses it has."""

from matchers.behaviour.beacon import Beacon
from matchers.behaviour.behaviour import Behaviour
from matchers.findings import Technique


class NamedBeacon(Beacon):
    """From where on calls are a beacon."""


NAMED_BEACON = Behaviour(
    name="named-beacon",
    title="regular calls for one name (beacon)",
    about="A host of the site asks for one name (HTTP Host, TLS server name) at regular intervals for hours, or looks"
    " up ever new names of one domain so. As `beacon`, whichever addresses the name has.",
    reads={
        "http": ("id.orig_h", "id.resp_h", "id.resp_p", "host", "user_agent", "response_body_len"),
        "ssl": ("id.orig_h", "id.resp_h", "id.resp_p", "server_name"),
        "dns": ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "query", "qtype_name"),
    },
    analysis="matchers.behaviour.analyses.beacon:by_name",
    technique=Technique("T1071", "Application Layer Protocol", "Command and Control"),
    thresholds=NamedBeacon,
    false_positives=("Software that looks for updates or for mail", "Open pages that refresh themselves", "Telemetry"),
    silence="Whitelist the name, mute `named-beacon` for the name or for the host, or raise `score`.",
    blind="As `beacon`; names that TLS encrypts (ECH) or that a proxy hides.",
)
