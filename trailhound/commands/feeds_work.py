"""What the commands of feeds and the schedule share: which feeds there are, and how they are fetched."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_network

from feeds import catalogue, status, switches
from feeds.feed import Feed
from feeds.granary import Granary
from feeds.manners import Manners
from feeds.shelf import Shelf
from feeds.status import Status
from trailhound.errors import SettingsError
from trailhound.settings import Settings


def written(settings: Settings) -> dict[str, Feed]:
    """Give all feeds as the catalogue and the user's file describe them. Raises `SettingsError`."""
    return catalogue.load(settings.feeds.file)


def known(settings: Settings) -> dict[str, Feed]:
    """Give all feeds, on or off as was said of them last. Raises `SettingsError`, `SourceError`."""
    return switches.applied(written(settings), switches.load(settings.shelf_path))


def statuses(settings: Settings) -> list[Status]:
    """Give what is known of every feed at this moment. Raises `SettingsError`, `SourceError`."""
    return status.of(written(settings), shelf(settings), Granary(settings.shelf_path))


def shelf(settings: Settings) -> Shelf:
    return Shelf(settings.shelf_path)


def manners(settings: Settings) -> Manners:
    said = settings.feeds
    return Manners(
        parallel=said.parallel,
        max_bytes=said.max_bytes,
        max_feed_bytes=max(said.max_bytes, Manners().max_feed_bytes),
        proxy=said.proxy,
        direct=said.direct,
        ca_file=said.ca_file,
        reachable=tuple(ip_network(text) for text in said.reachable),
        secrets=settings.state_dir / "secrets",
    )


def refuse_unknown(names: Iterable[str], feeds: Mapping[str, Feed]) -> None:
    """Raise `SettingsError` for the first name that no feed has, with the nearest that one has."""
    for name in names:
        if name not in feeds:
            near = difflib.get_close_matches(name.lower(), feeds, n=1, cutoff=0.5)
            said = f"did you mean {near[0]}?" if near else "`trailhound feeds list --all` names all"
            raise SettingsError(f"{name!r} is no feed; {said}")


def refuse_off(names: Collection[str], feeds: Mapping[str, Feed]) -> None:
    """Raise `SettingsError` for a feed that is named and off: what it gives would not count."""
    for name in names:
        if not feeds[name].enabled:
            why = f" ({feeds[name].note})" if feeds[name].note else ""
            raise SettingsError(f"{name} is off{why}; `trailhound feeds enable {name}` switches it on")


def refuse_useless(settings: Settings) -> None:
    """Raise `SettingsError` where the set is not made here, so that no feed would count."""
    if not settings.compiles_trails:
        key = "trails.set" if settings.trails.set is not None else "central.url"
        raise SettingsError(f"{key}: the trail set comes from there, so feeds of this host would not count; unset it")
