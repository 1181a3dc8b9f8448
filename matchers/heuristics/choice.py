"""Which heuristics and behaviours settings ask for, and by which thresholds."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import entry_points
from typing import TypeVar

from pydantic import ValidationError

from matchers.findings import Described, Thresholds
from trailhound.errors import SettingsError

OfKind = TypeVar("OfKind", bound=Described)


def installed(kind: type[OfKind], built_in: Iterable[OfKind], group: str) -> Mapping[str, OfKind]:
    """Give what is built in and what installed packages bring by entry points of a group, by name.

    Raises `SettingsError` for an entry that cannot be loaded, is of another kind, or has a name that is taken.
    """
    found = {one.name: one for one in built_in}
    for entry in entry_points(group=group):
        try:
            one = entry.load()
        except Exception as error:
            raise SettingsError(f"entry point {group}: {entry.name} cannot be loaded: {error}") from error
        if not isinstance(one, kind):
            raise SettingsError(f"entry point {group}: {entry.name} is no {kind.__name__}")
        if one.name in found:
            raise SettingsError(f"entry point {group}: {entry.name}: the name {one.name!r} is taken already")
        found[one.name] = one
    return found


def refuse_unknown(known: Collection[str], **asked: Collection[str]) -> None:
    """Raise `SettingsError` for a name under a key of `[heuristics]` that is none of those that are known."""
    for key, names in asked.items():
        for name in names:
            if name not in known:
                raise SettingsError(f"heuristics.{key}: {no_such(name, known)}")


def no_such(name: str, known: Collection[str]) -> str:
    """Say that there is no heuristic of a name, and what it may have been meant for."""
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"{name!r} is no heuristic; " + (f"did you mean {near[0]}?" if near else "`trailhound rules list` names all")


def thresholds_of(described: Described, said: Mapping[str, float]) -> Thresholds:
    """Read the thresholds of one. Raises `SettingsError` that names the key and what was expected."""
    try:
        return described.thresholds.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, ("heuristics.thresholds", described.name, *first["loc"])))
        names = ", ".join(described.thresholds.model_fields)
        raise SettingsError(f"{key}: {first['msg']} (thresholds of it: {names or 'none'})") from error
