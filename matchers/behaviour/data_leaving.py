"""Data that leaves: a host sends far more abroad than it ever did, and than others of the site do."""

from pydantic import Field

from matchers.behaviour.behaviour import Behaviour
from matchers.findings import Technique, Thresholds


class DataLeaving(Thresholds):
    """From where on data leaves."""

    megabytes: float = Field(
        default=500,
        ge=1,
        description="So many million bytes sent abroad in a day, at least; less is lost in the noise.",
    )
    times_past: float = Field(
        default=5, ge=1, le=1000, description="So many times what the host sent on its busiest day before, at least."
    )
    times_peers: float = Field(
        default=10, ge=1, le=1000, description="So many times what nineteen of twenty hosts of the site send, at least."
    )
    ratio: float = Field(
        default=3,
        ge=0,
        le=1000,
        description="So many times what the host received from there: who uploads gets little.",
    )
    learn_days: float = Field(
        default=3, ge=0, le=14, description="Days of a host's past without which only other hosts are compared with."
    )


DATA_LEAVING = Behaviour(
    name="data-leaving",
    title="unusual amount of data sent abroad",
    about="A host of the site sends far more to one server abroad than it sent to all on any day before, and than other"
    " hosts do.",
    reads={"conn": ("id.orig_h", "id.resp_h", "id.resp_p", "proto", "conn_state", "orig_bytes", "resp_bytes")},
    analysis="matchers.behaviour.analyses.volume:data_leaving",
    technique=Technique("T1048", "Exfiltration Over Alternative Protocol", "Exfiltration"),
    thresholds=DataLeaving,
    false_positives=("First backups to a cloud", "Uploads of videos", "Servers of the site that are new"),
    silence="Mute `data-leaving` for the server or the host, or raise `megabytes`.",
    blind="What leaves slowly over many days; what leaves over hosts that send as much every day.",
)
