from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.hours import Hours, hours_of

SECONDS = st.floats(0, 4_000_000_000, allow_nan=False)


def plainly(moments: list[float]) -> list[int]:
    return [int(moment // 3600) for moment in moments]


def spread(found: Hours | None, rows: int) -> list[int]:
    assert found is not None
    odd = dict(found.odd)
    return [odd.get(row, found.main) for row in range(rows)]


@given(st.lists(SECONDS, min_size=1))
def test_each_row_has_the_hour_of_its_time(moments: list[float]) -> None:
    assert spread(hours_of(moments), len(moments)) == plainly(moments)


@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001 - the zone comes beside it
            st.sampled_from([0, 60, 330, -210]),
            st.booleans(),
        ),
        min_size=1,
    )
)
def test_a_written_time_is_read_with_its_zone(drawn: list[tuple[datetime, int, bool]]) -> None:
    times = [
        (moment if fraction else moment.replace(microsecond=0)).replace(tzinfo=timezone(timedelta(minutes=minutes)))
        for moment, minutes, fraction in drawn
    ]
    expected = [int(time.astimezone(UTC).replace(microsecond=0).timestamp()) // 3600 for time in times]
    assert spread(hours_of([time.isoformat() for time in times]), len(times)) == expected


def test_times_in_milliseconds_and_whole_numbers_are_read() -> None:
    assert spread(hours_of([3600, 7_200_000_000_000.0]), 2) == [1, 2_000_000]


@pytest.mark.parametrize("moments", [[], [None], ["soon", "later"], [float("nan")]])
def test_where_no_time_can_be_read_there_is_no_hour(moments: list[object]) -> None:
    assert hours_of(moments) is None


def test_a_time_that_cannot_be_read_is_that_of_its_neighbours() -> None:
    assert spread(hours_of([3600.0, "soon", 3700.0, 7200.0]), 4) == [1, 1, 1, 2]
    assert hours_of(["1970-01-01T02:00:00Z", "soon"]) == Hours(2, [])
