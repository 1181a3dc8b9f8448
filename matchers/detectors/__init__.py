"""One detector per log whose records can be events of their own. To add one: write its module, add it here."""

from collections.abc import Mapping

from matchers.detectors.detector import Detector
from matchers.detectors.suricata_alert import SURICATA_ALERT
from matchers.detectors.zeek_intel import ZEEK_INTEL
from matchers.detectors.zeek_notice import ZEEK_NOTICE

DETECTORS: Mapping[str, Detector] = {detector.name: detector for detector in (ZEEK_NOTICE, ZEEK_INTEL, SURICATA_ALERT)}

__all__ = ["DETECTORS"]
