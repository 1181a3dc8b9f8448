"""What a server has against what it should have, however it spells it."""

from collections.abc import Iterator, Mapping
from typing import Any

# What cannot be changed in an index that is there; a type least of all.
_FIXED = ("type", "doc_values", "index", "enabled")


def covers(found: Any, wanted: Any) -> bool:
    """Tell whether all that is wanted is there; more may be."""
    if isinstance(wanted, Mapping):
        if not isinstance(found, Mapping):
            return not wanted and found is None
        return all(covers(_part(found, key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and [_said(item) for item in found] == [_said(item) for item in wanted]
    return _said(found) == _said(wanted)


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Give settings by dotted names, their values as text."""
    found: dict[str, str] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = _said(value)
    return found


def leaves(properties: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give each field of a mapping by its dotted name, with its own parameters; parents before their parts."""
    for name, body in properties.items():
        own = {key: value for key, value in body.items() if key != "properties"}
        if own:
            yield f"{prefix}{name}", own
        yield from leaves(body.get("properties", {}), f"{prefix}{name}.")


def changes(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Give the mapping to put onto one that is there, and the fields that cannot be made so in place."""
    current = dict(leaves(found.get("properties", {})))
    added: dict[str, Any] = {}
    conflicts = []
    for name, own in leaves(wanted["properties"]):
        there = current.get(name)
        if there is None:
            _put(added, name, own)
        elif any(_said(there.get(key, own[key])) != _said(own[key]) for key in _FIXED if key in own):
            conflicts.append(name)
        elif not covers(there, own):
            _put(added, name, own)
    return ({"properties": added} if added else {}), conflicts


def _put(root: dict[str, Any], name: str, own: Mapping[str, Any]) -> None:
    *parents, leaf = name.split(".")
    place = root
    for parent in parents:
        place = place.setdefault(parent, {}).setdefault("properties", {})
    place.setdefault(leaf, {}).update(own)


def _part(found: Mapping[str, Any], key: str) -> Any:
    return found.get(key)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
