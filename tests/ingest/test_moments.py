"""Times as logs write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.moments import microseconds, untimely
from trailhound.errors import RecordError
from trailhound.event import timestamp


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (0, 0),
        (1.5, 1_500_000),
        (1772366401.25, 1_772_366_401_250_000),
        ("2026-03-01T12:00:01.250000+0000", 1_772_366_401_250_000),
        ("2026-03-01T13:00:01.250000+01:00", 1_772_366_401_250_000),
        ("2026-03-01T12:00:01.250000Z", 1_772_366_401_250_000),
        ("2026-03-01T12:00:01", 1_772_366_401_000_000),
        ("1970-01-01T01:00:00+0100", 0),
    ],
)
def test_a_moment_is_this_many_microseconds_since_the_epoch(moment: object, expected: int) -> None:
    assert microseconds(moment) == expected


NONE: list[object] = [
    None,
    True,
    -1,
    1e20,
    float("nan"),
    float("inf"),
    "",
    "soon",
    "1969-12-31",
    "9999-12-31T23:59:59-12:00",
    [],
    "\0",
]


@pytest.mark.parametrize("moment", NONE)
def test_what_is_no_moment_is_refused(moment: object) -> None:
    with pytest.raises(RecordError):
        microseconds(moment)


MOMENTS = st.one_of(
    st.sampled_from(NONE),
    st.floats(),
    st.integers(),
    st.text(max_size=12),
    st.datetimes().map(lambda when: when.isoformat()),
    st.datetimes(timezones=st.timezones()).map(lambda when: when.isoformat()),
)


@given(st.one_of(st.lists(MOMENTS), st.lists(st.floats()), st.lists(st.datetimes().map(str))))
def test_the_quick_look_finds_the_same_bad_moments_as_reading_each(moments: list[object]) -> None:
    refused = set()
    for place, moment in enumerate(moments):
        try:
            timestamp(microseconds(moment))
        except RecordError:
            refused.add(place)
    assert set(untimely(moments)) == refused


def test_milliseconds_are_told_from_seconds_by_their_size() -> None:
    assert microseconds(1_547_188_415_857.497) == 1_547_188_415_857_497
    assert microseconds(1_547_188_415.857497) == 1_547_188_415_857_497
    assert untimely([1_547_188_415_857.497, 1_547_188_415.857497]) == {}
