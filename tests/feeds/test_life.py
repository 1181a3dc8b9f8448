from hypothesis import given
from hypothesis import strategies as st

from feeds import life
from feeds.harvest import Harvest
from matchers import layout
from matchers.gather import Gathering
from tests.feeds.supply import DAY, NOW, feed
from trailhound.trail import Trail, TrailClass, TrailKind

FEED = feed("list", expires="2d")


def gathered(*values: str, first_seen: int | None = None, expires: int | None = None) -> Gathering:
    gathering = Gathering()
    for value in values:
        trail = Trail(TrailKind.DOMAIN, value, "evil", TrailClass.C2, ("list",), first_seen=first_seen, expires=expires)
        gathering.add(trail)
    return gathering


def key(value: str) -> bytes:
    return layout.key(TrailKind.DOMAIN, value)


def grow(old: Harvest | None, now: int, *values: str, seen: int = 0) -> Harvest:
    return life.merge(old, gathered(*values), now, FEED, seen=seen)[0]


def row(harvest: Harvest, value: str) -> tuple[int, int, int, int]:
    """Give first seen, added, last seen and until when it is met."""
    found = harvest.table[harvest.rows[list(harvest.keys).index(key(value))]]
    return found.facts.first_seen, found.added, found.last_seen, life.expiry(found, FEED.expires)


def test_a_trail_is_first_seen_at_our_first_look() -> None:
    harvest = grow(grow(None, NOW, "a.example"), NOW + DAY, "a.example", "b.example")
    assert row(harvest, "a.example") == (NOW, NOW, 0, 0)
    assert row(harvest, "b.example") == (NOW + DAY, NOW + DAY, 0, 0)


def test_what_the_feed_says_of_the_first_time_counts_and_the_earliest_of_it_stays() -> None:
    old, _ = life.merge(None, gathered("a.example", first_seen=1000), NOW, FEED)
    assert row(old, "a.example")[:2] == (1000, NOW)
    later, _ = life.merge(old, gathered("a.example", first_seen=2000), NOW + DAY, FEED)
    assert row(later, "a.example")[:2] == (1000, NOW)


def test_the_end_that_the_feed_names_is_the_end_and_may_move() -> None:
    old, _ = life.merge(None, gathered("a.example", expires=NOW + 10), NOW, FEED)
    assert row(old, "a.example")[3] == NOW + 10
    later, _ = life.merge(old, gathered("a.example", expires=NOW + 20), NOW + 5, FEED)
    assert row(later, "a.example")[3] == NOW + 20


def test_what_is_no_longer_listed_ends_its_grace_after_it_was_listed_last() -> None:
    old = grow(None, NOW, "a.example", "b.example")
    harvest, change = life.merge(old, gathered("b.example"), NOW + DAY, FEED, seen=NOW + 100)
    assert row(harvest, "a.example") == (NOW, NOW, NOW + 100, NOW + 100 + 2 * DAY)
    assert change == life.Change(added=0, removed=0, absent=1)
    assert harvest.listed() == [key("b.example")]


def test_the_end_that_the_feed_named_counts_before_the_grace() -> None:
    old, _ = life.merge(None, gathered("a.example", expires=NOW + 10), NOW, FEED)
    harvest, _ = life.merge(old, gathered("b.example"), NOW + DAY, FEED)
    assert row(harvest, "a.example")[3] == NOW + 10


def test_after_its_grace_a_trail_is_gone_and_remembered() -> None:
    harvest = grow(None, NOW, "a.example", "b.example")
    harvest = grow(harvest, NOW + DAY, "b.example")
    harvest, change = life.merge(harvest, gathered("b.example"), NOW + 2 * DAY, FEED)
    assert list(harvest.keys) == [key("b.example")]
    assert [(item.key, item.gone) for item in harvest.gone] == [(key("a.example"), NOW + 2 * DAY)]
    assert change == life.Change(added=0, removed=1, absent=0)


def test_what_comes_back_within_its_grace_was_never_away() -> None:
    harvest = grow(grow(grow(None, NOW, "a.example", "b.example"), NOW + DAY, "b.example"), NOW + DAY + 1, "a.example")
    assert row(harvest, "a.example") == (NOW, NOW, 0, 0)


def test_what_comes_back_later_keeps_its_first_time_and_counts_as_added() -> None:
    harvest = grow(None, NOW, "a.example", "b.example")
    harvest = grow(harvest, NOW + 5 * DAY, "b.example")
    assert harvest.gone
    harvest, change = life.merge(harvest, gathered("a.example", "b.example"), NOW + 9 * DAY, FEED)
    assert row(harvest, "a.example") == (NOW, NOW + 9 * DAY, 0, 0)
    assert harvest.gone == []
    assert change.added == 1


def test_a_feed_that_does_not_change_lets_go_what_it_no_longer_has() -> None:
    harvest = grow(grow(None, NOW, "a.example", "b.example"), NOW + DAY, "b.example")
    assert life.age(harvest, NOW + DAY, FEED) is None
    aged = life.age(harvest, NOW + 2 * DAY, FEED)
    assert aged is not None
    assert list(aged.keys) == [key("b.example")]
    assert [item.key for item in aged.gone] == [key("a.example")]
    assert life.age(aged, NOW + 9 * DAY, FEED) is None


def test_what_is_gone_is_forgotten_after_a_while() -> None:
    harvest = grow(None, NOW, "a.example", "b.example")
    harvest = grow(harvest, NOW + 5 * DAY, "b.example")
    assert grow(harvest, NOW + 5 * DAY + life.GONE_SECONDS, "b.example").gone == []


def test_no_more_is_remembered_as_gone_than_is_bearable() -> None:
    many = [f"n{number}.example" for number in range(life.MOST_GONE + 10)]
    harvest = grow(None, NOW, "b.example", *many)
    harvest = grow(harvest, NOW + 5 * DAY, "b.example")
    assert len(harvest.gone) == life.MOST_GONE


def test_changes_since_a_time_are_told() -> None:
    harvest = grow(None, NOW, "a.example", "b.example", "c.example")
    harvest = grow(harvest, NOW + 5 * DAY, "b.example", "c.example", "d.example", seen=NOW + 4 * DAY)
    assert life.changes(harvest, NOW + 1) == ([(key("d.example"), NOW + 5 * DAY)], [(key("a.example"), NOW + 4 * DAY)])
    assert life.changes(harvest, NOW + 6 * DAY) == ([], [])


looks = st.lists(st.frozensets(st.integers(0, 6), max_size=6), min_size=1, max_size=12)


@given(looks, st.lists(st.integers(1, 3 * DAY), min_size=12, max_size=12))
def test_life_is_what_a_table_of_looks_says(sets: list[frozenset[int]], pauses: list[int]) -> None:
    """Against the plainest form there is: a dictionary of first and last times."""
    harvest, now = None, NOW
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for listed, pause in zip(sets, pauses, strict=False):
        now += pause
        for value in sorted(last):
            if value not in listed and now - last[value] >= FEED.expires:
                del last[value]
        for value in listed:
            first.setdefault(value, now)
            last[value] = now
        harvest = grow(harvest, now, *(f"n{value}.example" for value in listed))
        assert set(harvest.keys) == {key(f"n{value}.example") for value in last}
        for value, moment in last.items():
            is_listed = value in listed
            end = 0 if is_listed else moment + FEED.expires
            found = row(harvest, f"n{value}.example")
            assert (found[0], found[2], found[3]) == (first[value], 0 if is_listed else moment, end)
