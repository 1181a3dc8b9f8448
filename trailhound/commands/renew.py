"""Settings that are read again while Trailhound runs (SIGHUP): what can change does, what cannot is said."""

import threading
from collections.abc import Callable

import structlog
from pydantic import BaseModel

from trailhound import log
from trailhound.errors import TrailhoundError
from trailhound.settings import TAKEN_UP, Settings

_log = structlog.get_logger("settings")


class Renew:
    """Reads settings again with `read` and gives those that may change to `takers`, in turn.

    A taker that raises a `TrailhoundError` is the last one; the ones before it go back to the settings in force.
    """

    def __init__(
        self, settings: Settings, read: Callable[[], Settings], takers: tuple[Callable[[Settings], None], ...]
    ) -> None:
        self._settings = settings
        self._read = read
        self._takers = takers
        self._turn = threading.Lock()

    @property
    def settings(self) -> Settings:
        return self._settings

    def __call__(self) -> bool:
        """Read and take up; tell whether that went well. Whatever is wrong leaves all as it was, and is said."""
        with self._turn:
            old = self._settings
            taken: list[Callable[[Settings], None]] = []
            try:
                new, refused = taken_up(old, self._read())
                for take in self._takers:
                    take(new)
                    taken.append(take)
            except TrailhoundError as error:
                _log.error("the settings in force stay in force", reason=str(error))
                _give_back(old, taken)
                return False
            self._settings = new
        log.configure(new)
        for key in refused:
            _log.warning("this change needs a restart", setting=key)
        _log.info("settings taken up", changed=", ".join(changes(old, new)) or "none")
        return True


def _give_back(settings: Settings, takers: list[Callable[[Settings], None]]) -> None:
    for take in takers:
        try:
            take(settings)
        except TrailhoundError as error:
            _log.error("the settings of before cannot be gone by any more; a restart is needed", reason=str(error))


def changes(old: Settings, new: Settings) -> list[str]:
    """Name the settings that differ, by their dotted keys; what is in lists and tables counts as one."""
    found: list[str] = []
    for name in Settings.model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if isinstance(before, BaseModel):
            keys = type(before).model_fields
            found += [f"{name}.{key}" for key in keys if getattr(before, key) != getattr(after, key)]
        elif before != after:
            found.append(name)
    return found


def taken_up(old: Settings, new: Settings) -> tuple[Settings, list[str]]:
    """Give the new settings, but for those that need a restart the old ones; name the latter."""
    refused = [key for key in changes(old, new) if key not in TAKEN_UP and f"{key.partition('.')[0]}.*" not in TAKEN_UP]
    kept: dict[str, object] = {}
    for key in refused:
        section, _, name = key.partition(".")
        value = getattr(old, section)
        if name:
            into = kept.get(section, getattr(new, section))
            value = into.model_copy(update={name: getattr(value, name)})  # type: ignore[attr-defined]
        kept[section] = value
    return new.model_copy(update=kept), refused
