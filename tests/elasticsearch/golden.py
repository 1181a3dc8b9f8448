"""Elastic's own golden documents beside the events that we make of the same log lines."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.formats import HEAD, detect
from matchers.detectors import DETECTORS
from matchers.engine import Engine
from matchers.networks import HomeNetworks
from matchers.whitelist import Whitelist
from tests.matchers.build import compiled, matched, trail
from tests.stores.factory import make_event
from trailhound import canonical
from trailhound.canonical import address
from trailhound.event import to_ecs
from trailhound.settings import HOME_NETWORKS
from trailhound.trail import Trail, TrailClass, TrailKind

FOLDER = "golden_ecs/elastic+integrations"
# Folder of golden documents -> name of such a log, which says what is in it.
LOGS: Mapping[str, str] = {
    "zeek.connection": "conn.log",
    "zeek.dns": "dns.log",
    "zeek.http": "http.log",
    "zeek.intel": "intel.log",
    "zeek.notice": "notice.log",
    "suricata.alert": "eve.json",
    "suricata.dns-4-1-4": "eve.json",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """One golden document, flat, and the documents of our events of the same line."""

    folder: str
    golden: Mapping[str, Any]
    documents: tuple[Mapping[str, Any], ...]


def pairs(corpus: Path) -> Iterator[Pair]:
    """Give every golden document of a log that we read; trails are made so that each of its lines meets one."""
    for folder, name in LOGS.items():
        place = corpus / FOLDER / folder
        lines = [line for line in (place / "input.log").read_bytes().splitlines() if line.strip()]
        told = json.loads((place / "expected.json").read_text("utf-8"))
        documents = told.get("expected", [told])
        assert len(lines) == len(documents), folder
        for line, document in zip(lines, documents, strict=True):
            golden = flat(document)
            yield Pair(folder, golden, tuple(_events(line + b"\n", name, golden)))


def _events(line: bytes, name: str, golden: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    form = detect(line[:HEAD])
    assert form is not None
    homes = HomeNetworks(HOME_NETWORKS)
    machine = Engine(compiled(_trails(golden)), Whitelist(), homes, detectors=DETECTORS.values())
    for event in matched(machine, form, line, name.removesuffix(".log").removesuffix(".json")).events:
        yield to_ecs(event)


def _trails(golden: Mapping[str, Any]) -> list[Trail]:
    """Make trails of what stands in a golden document."""
    texts = {golden.get(field) for field in ("dns.question.name", "url.domain", "destination.ip", "source.ip")}
    found = []
    for text in sorted(text for text in texts if text):
        number = address(text)
        kind = TrailKind.DOMAIN if number is None else TrailKind.IPV6 if ":" in number else TrailKind.IPV4
        found.append(trail(kind, text))
    return found


def indicators(corpus: Path) -> Iterator[Pair]:
    """Give golden documents of indicators beside an event that met a trail of the same facts."""
    for folder, made in (("ti.threatfox", _of_threatfox), ("ti.misp", _of_misp)):
        place = corpus / FOLDER / folder
        told = json.loads((place / "expected.json").read_text("utf-8"))
        (document,) = told.get("expected", [told])
        said = {name: value for name, value in flat(document).items() if name.startswith("threat.")}
        line = json.loads((place / "input.log").read_text("utf-8"))
        yield Pair(folder, said, (to_ecs(make_event(trail=made(line))),))


def _of_threatfox(line: Mapping[str, Any]) -> Trail:
    seen = datetime.strptime(line["first_seen"], "%Y-%m-%d %H:%M:%S %Z").replace(tzinfo=UTC)
    found = canonical.indicator(TrailKind.DOMAIN, line["ioc"])
    return Trail(
        kind=found.kind,
        value=found.value,
        info="AsyncRAT (malware)",
        class_=TrailClass.C2,
        sources=("threatfox",),
        reference=line["reference"],
        confidence=line["confidence_level"],
        first_seen=int(seen.timestamp()),
    )


def _of_misp(line: Mapping[str, Any]) -> Trail:
    found = canonical.indicator(TrailKind.URL, line["value"])
    return Trail(found.kind, found.value, "OSINT", TrailClass.SUSPICIOUS, ("misp",), "", 50)


def flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Give the fields of a document by their dotted names; lists stay lists, of plain values or flat documents."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            found[f"{prefix}{key}"] = [flat(item) if isinstance(item, Mapping) else item for item in value]
        else:
            found[f"{prefix}{key}"] = value
    return found
