"""The formats that trails are handed on in, by name."""

from collections.abc import Mapping

from feeds.exports import (
    hosts,
    lines,
    misp,
    plain,
    rpz,
    stix,
    suricata_dataset,
    suricata_iprep,
    suricata_rules,
    zeek_intel,
)
from feeds.exports.export import Export

EXPORTS: Mapping[str, Export] = {
    "zeek-intel": zeek_intel.EXPORT,
    "suricata-rules": suricata_rules.EXPORT,
    "suricata-dataset": suricata_dataset.EXPORT,
    "suricata-iprep": suricata_iprep.EXPORT,
    "rpz": rpz.EXPORT,
    "hosts": hosts.EXPORT,
    "stix": stix.EXPORT,
    "misp": misp.EXPORT,
    "lines": lines.EXPORT,
    "plain": plain.EXPORT,
}
