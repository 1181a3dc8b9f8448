"""Slow tunnels in DNS: one host asks for very many names of one domain over a day."""

from pydantic import Field

from matchers.behaviour.behaviour import Behaviour
from matchers.findings import Technique, Thresholds


class SubdomainTunnel(Thresholds):
    """From where on look-ups are a tunnel."""

    names: int = Field(
        default=300, ge=20, le=100_000, description="So many names of one domain, at least, asked for by one host."
    )
    characters: float = Field(
        default=24, ge=4, le=200, description="So many characters before the domain on average: data takes room."
    )
    kilobytes: float = Field(
        default=8, ge=1, le=100_000, description="So much in all these names together, at least, in thousands."
    )
    new_percent: float = Field(
        default=60,
        ge=1,
        le=100,
        description="So many of a hundred look-ups are of a name that was not asked for before.",
    )


SUBDOMAIN_TUNNEL = Behaviour(
    name="subdomain-tunnel",
    title="potential dns tunnelling (data in very many names)",
    about="A host asks for ever new, long names of one domain over hours: data leaves in them, however slowly. The fast"
    " ones are found in the loop (`dns-tunnel`).",
    reads={"dns": ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "query", "qtype_name")},
    analysis="matchers.behaviour.analyses.subdomains:tunnels",
    technique=Technique("T1071.004", "Application Layer Protocol: DNS", "Command and Control"),
    thresholds=SubdomainTunnel,
    false_positives=("Reputation services that are asked by name", "Content networks that number their objects"),
    silence="Whitelist the domain, or mute `subdomain-tunnel` for it.",
    blind="DNS over HTTPS and TLS. Where the resolver is logged and not its clients, all questions are one host's.",
)
