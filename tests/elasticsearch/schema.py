"""The official field list of ECS, and what in a document does not keep to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

_LIST = Path(__file__).with_name("ecs_fields.tsv")
# What ECS leaves to others.
OWN = ("trailhound.", "zeek.", "suricata.")
_WHOLE = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class EcsField:
    type: str
    is_list: bool


@cache
def ecs_fields() -> Mapping[str, EcsField]:
    rows = [line.split("\t") for line in _LIST.read_text("utf-8").splitlines() if not line.startswith("#")]
    return {name: EcsField(type_, lists == "array") for name, type_, lists in rows}


def violations(document: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Name each field that ECS does not know, or whose value is not of its type."""
    for key, value in document.items():
        name = f"{prefix}{key}"
        if name.startswith(OWN) or f"{name}." in OWN:
            continue
        known = ecs_fields().get(name)
        values = value if isinstance(value, list) else [value]
        if known is not None and known.is_list and not isinstance(value, list):
            yield f"{name} is no list: {value!r}"
        for item in values:
            if isinstance(item, Mapping):
                yield from violations(item, f"{name}.")
            elif known is None:
                yield f"{name} is no field of ECS"
            elif not _fits(known.type, item):
                yield f"{name} is no {known.type}: {item!r}"


def _fits(type_: str, value: Any) -> bool:
    if type_ == "long":
        return isinstance(value, int) and not isinstance(value, bool) and value in _WHOLE
    if type_ == "float":
        return isinstance(value, float)
    if type_ == "boolean":
        return isinstance(value, bool)
    if not isinstance(value, str):
        return False
    try:
        if type_ == "ip":
            ip_address(value)
        elif type_ == "date":
            datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
