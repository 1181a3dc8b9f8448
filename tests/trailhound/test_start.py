"""Where to start."""

import pytest

from trailhound.errors import SettingsError
from trailhound.settings import load
from trailhound.start import start_of

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("beginning", None),
        ("end", None),
        ("6h", NOW - 6 * 3600),
        ("90m", NOW - 90 * 60),
        ("3d", NOW - 3 * 86_400),
        ("2w", NOW - 14 * 86_400),
        ("999999w", 0.0),
        ("2023-11-14T22:13:20Z", NOW),
        ("2023-11-14T23:13:20+01:00", NOW),
        ("2023-11-14 22:13:20", NOW),
        ("2023-11-14", NOW - 80_000),
        ("0001-01-01", 0.0),
    ],
)
def test_a_start_is_a_word_a_time_or_a_duration(text: str, start: float | None) -> None:
    assert start_of(text, NOW) == start


@pytest.mark.parametrize("text", ["", "6", "h", "yesterday", "-6h", "2023-13-01", "6h ago"])
def test_what_is_none_of_these_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(SettingsError, match=r"logs\.start = .*a duration such as 6h was expected"):
        load(overrides={"logs": {"start": text}})
