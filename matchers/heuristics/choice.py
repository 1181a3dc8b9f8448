"""Which heuristics and behaviours settings ask for, and by which thresholds."""

import difflib
from collections.abc import Collection, Mapping

from pydantic import ValidationError

from matchers.findings import Described, Thresholds
from trailhound.errors import SettingsError


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
