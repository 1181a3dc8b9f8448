"""Programs that open TLS as no other on the site does: by their fingerprint, JA4 or JA3."""

from pydantic import Field

from matchers.behaviour.behaviour import Behaviour
from matchers.findings import Technique, Thresholds


class RareTlsClient(Thresholds):
    """From when on the fingerprint of a client is rare."""

    learn_days: float = Field(
        default=7, ge=1, le=60, description="Days of logs before anything is called new: a week has all of its habits."
    )
    hosts: int = Field(default=1, ge=1, le=100, description="Shown by so many hosts at most.")
    connections: int = Field(
        default=5,
        ge=2,
        le=10_000,
        description="In so many connections at least: browsers shuffle what JA3 is made of, and never repeat one.",
    )
    most: int = Field(default=20, ge=1, le=1000, description="So many a window at most.")


RARE_TLS_CLIENT = Behaviour(
    name="rare-tls-client",
    title="TLS client of one host, never seen here before",
    about="One host opens TLS again and again with a fingerprint (JA4, or JA3 where there is none) that no host of the"
    " site had before: another program than all others run.",
    reads={"ssl": ("id.orig_h", "id.resp_h", "id.resp_p", "server_name", "ja3", "ja4")},
    analysis="matchers.behaviour.analyses.tls_clients:clients",
    remembers=(("ssl", "ja3"), ("ssl", "ja4")),
    technique=Technique("T1573", "Encrypted Channel", "Command and Control"),
    thresholds=RareTlsClient,
    false_positives=("New software, and new versions of it on the first host that has them", "New devices"),
    silence="Mute `rare-tls-client` for the fingerprint or for the host.",
    blind="Malware that opens TLS as the system or a browser does. Zeek has fingerprints with the packages ja3 or ja4,"
    " Suricata with `app-layer.protocols.tls.ja3-fingerprints` or `ja4-fingerprints`.",
)
