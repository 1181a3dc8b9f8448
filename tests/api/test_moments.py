import pytest

from api.moments import duration, moment
from trailhound.record import MICROSECONDS

NOW = 1_800_000_000 * MICROSECONDS


@pytest.mark.parametrize(
    "text",
    [
        "1767225600",
        "1767225600.0",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00+01:00",
        "2026-01-01T01:00:00 01:00",
        "2026-01-01 00:00:00",
        "20260101T000000Z",
    ],
)
def test_one_moment_has_many_spellings(text: str) -> None:
    assert moment(text, NOW) == 1_767_225_600 * MICROSECONDS


def test_microseconds_are_kept() -> None:
    assert moment("2026-01-01T00:00:00.000001Z", NOW) == 1_767_225_600 * MICROSECONDS + 1


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800), ("2w", 1_209_600)]
)
def test_a_duration_is_that_long_before_now(text: str, seconds: int) -> None:
    assert duration(text) == seconds * MICROSECONDS
    assert moment(text, NOW) == NOW - seconds * MICROSECONDS


def test_a_duration_does_not_reach_behind_the_epoch() -> None:
    assert moment("9999999w", NOW) == 0


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "yesterday", "-1", "1e9", "nan", "0h", "h", "24 h", "1.5h", "24H", "٢h", "1767225600000"),
        *("2026-13-01", "0001-01-01", "9999-12-31T23:59:59.999999-23:59", "2026-01-01T00:00:00+99:00"),
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not|outside"):
        moment(text, NOW)
