from pathlib import Path

import pytest

from feeds import harvest, life
from feeds.granary import Granary, Kept
from feeds.harvest import Harvest
from matchers.gather import Gathering
from tests.feeds.supply import DAY, NOW, feed
from trailhound.errors import SourceError
from trailhound.trail import Trail, TrailClass, TrailKind

FEED = feed("list")
TRAILS = [
    Trail(TrailKind.DOMAIN, "a.example", "Ω", TrailClass.C2, ("list",), "https://r.example/1", 80, 1000, NOW + 5),
    Trail(TrailKind.IPV4, "198.51.100.7", "scan", TrailClass.SCANNER, ("list",)),
    Trail(TrailKind.CIDR, "198.51.100.0/24", "scan", TrailClass.SCANNER, ("list",)),
    Trail(TrailKind.USER_AGENT, "evil loader/1.0", "scan", TrailClass.SCANNER, ("list",)),
]


def grown(trails: list[Trail]) -> Harvest:
    gathering = Gathering()
    gathering.add_all(trails)
    return life.merge(None, gathering, NOW, FEED, mark="as read", refused=3)[0]


def same(one: Harvest, other: Harvest) -> bool:
    return (list(one.keys), list(one.rows), list(one.table), list(one.gone)) == (
        list(other.keys),
        list(other.rows),
        list(other.table),
        list(other.gone),
    )


@pytest.mark.parametrize("once", [False, True])
def test_a_harvest_is_read_as_it_was_written(tmp_path: Path, *, once: bool) -> None:
    written = grown(TRAILS)
    written, _ = life.merge(written, Gathering(), NOW + 9 * DAY, FEED)
    assert written.gone
    for one in (grown(TRAILS), written, grown([])):
        harvest.write(tmp_path / "h", one)
        found = harvest.read(tmp_path / "h", once=once)
        assert same(found, one)
        assert (found.mark, found.made, found.refused, found.kinds) == (one.mark, one.made, one.refused, one.kinds)
        assert len(found) == len(one)


def test_the_same_trails_give_the_same_bytes_in_whatever_order(tmp_path: Path) -> None:
    first = harvest.write(tmp_path / "1", grown(TRAILS))
    assert harvest.write(tmp_path / "2", grown(TRAILS[::-1])) == first
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_damage_is_noticed_wherever_it_is(tmp_path: Path) -> None:
    path = tmp_path / "h"
    harvest.write(path, grown(TRAILS))
    whole = path.read_bytes()
    for place in (0, 9, 20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes((whole[place] ^ 0xFF,)) + whole[place + 1 :])
        with pytest.raises(SourceError, match="damaged"):
            harvest.read(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="damaged"):
        harvest.read(path)
    path.unlink()
    with pytest.raises(SourceError, match="cannot be read"):
        harvest.read(path)


def test_the_granary_throws_away_what_its_index_does_not_name(tmp_path: Path) -> None:
    granary = Granary(tmp_path)
    old = Kept(file=granary.put("list", grown(TRAILS)))
    granary.save({"list": old})
    new = Kept(file=granary.put("list", grown(TRAILS[:2])))
    assert granary.get("list", old) is not None, "in force until the index says otherwise"
    granary.save({"list": new})
    assert [path.name for path in (tmp_path / "list").iterdir()] == [new.file]
    assert granary.index() == {"list": new}


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 99, "feeds": {}}', b'{"version": 1, "feeds": {"a": 1}}'])
def test_a_damaged_index_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "harvests.json").write_bytes(content)
    assert Granary(tmp_path).index() == {}
