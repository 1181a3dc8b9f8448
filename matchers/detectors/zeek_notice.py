"""notice.log: what scripts of Zeek found worth telling a person. The rule is the notice's type."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from matchers.detectors.detector import Detector, rule_met
from matchers.observer import Observer, Sighting
from matchers.rules import Meeting
from trailhound.record import Record
from trailhound.trail import TrailClass

# What the types of Zeek's own scripts, and of well-known packages, are about; all others are suspicious.
_CLASSES = (
    (re.compile(r"^Scan::"), TrailClass.SCANNER),
    (re.compile(r"Password_Guess|Brute_?[Ff]orc"), TrailClass.ATTACKER),
    (re.compile(r"SQL_Injection|^Heartbleed::|Exploit|Log4[Jj]|^CVE[_-]?\d"), TrailClass.EXPLOIT),
    (re.compile(r"Malware"), TrailClass.MALWARE),
)
# A notice that belongs to no connection says by these who is meant.
_ENDS = {"id.orig_h": "src", "id.resp_h": "dst", "id.resp_p": "p"}


def _placed(record: Record) -> Record:
    if "id.orig_h" in record.fields:
        return record
    ends = {end: record.fields[name] for end, name in _ENDS.items() if name in record.fields}
    return replace(record, fields={**record.fields, **ends})


def _detected(record: Record) -> Meeting | None:
    note = record.text("note") or ""
    class_ = next((class_ for words, class_ in _CLASSES if words.search(note)), TrailClass.SUSPICIOUS)
    return rule_met(note, _words(note), class_, "Zeek notice", said=record.text("msg") or "")


def _words(note: str) -> str:
    """Write `SSL::Invalid_Server_Cert` as people would: `SSL: Invalid Server Cert`."""
    return note.replace("::", ": ").replace("_", " ").strip()


def _observe(_: Record) -> Iterator[Sighting]:
    """See nothing: the values that a notice speaks of stand in the log of their protocol too."""
    yield from ()


def _derive(record: Record) -> dict[str, Any]:
    return {"rule.category": (record.text("note") or "").rpartition("::")[0] or None}


ZEEK_NOTICE = Detector(
    name="zeek-notice",
    file="notice.log",
    observer=Observer(
        log="notice",
        probes={},
        observe=_observe,
        derive=_derive,
        ecs={
            "rule.name": "note",
            "rule.description": "msg",
            "file.mime_type": "file_mime_type",
            "zeek.notice.note": "note",
            "zeek.notice.msg": "msg",
            "zeek.notice.sub": "sub",
            "zeek.notice.actions": "actions",
            "zeek.notice.peer_descr": "peer_descr",
        },
    ),
    detected=_detected,
    placed=_placed,
)
