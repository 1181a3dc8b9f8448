"""Whether a sensor's clock is right, told by its records."""

from ingest.clocks import ENOUGH, WINDOW, Skew

MINUTE = 60_000_000
LIMIT = 5 * MINUTE
START = 1_700_000_000_000_000


def fill(skew: Skew, begin: int, late: int, *, times: int = ENOUGH, live: bool = True) -> None:
    for number in range(times):
        moment = begin + number * WINDOW // (2 * times)
        skew.note(moment - late, moment, live=live, limit=LIMIT)


def test_records_that_are_all_late_are_told_after_a_window() -> None:
    skew = Skew()
    fill(skew, START, 7 * MINUTE)
    assert skew.at(START + WINDOW - 1, LIMIT) is None
    assert skew.at(START + WINDOW, LIMIT) == -7 * MINUTE


def test_one_record_that_is_on_time_clears_those_that_are_late() -> None:
    skew = Skew()
    fill(skew, START, 60 * MINUTE)
    skew.note(START + WINDOW // 2, START + WINDOW // 2, live=True, limit=LIMIT)
    assert skew.at(START + WINDOW, LIMIT) is None


def test_old_records_that_are_read_later_prove_nothing() -> None:
    skew = Skew()
    fill(skew, START, 60 * MINUTE, live=False)
    assert skew.at(START + WINDOW, LIMIT) is None


def test_few_records_that_are_late_prove_nothing() -> None:
    skew = Skew()
    fill(skew, START, 60 * MINUTE, times=ENOUGH - 1)
    assert skew.at(START + WINDOW, LIMIT) is None


def test_a_clock_that_is_set_right_is_right_after_a_window() -> None:
    skew = Skew()
    fill(skew, START, 7 * MINUTE)
    assert skew.at(START + WINDOW, LIMIT) == -7 * MINUTE
    fill(skew, START + WINDOW + 1, 0)
    assert skew.at(START + 2 * WINDOW + 1, LIMIT) is None


def test_what_was_late_is_forgotten_when_nothing_more_comes() -> None:
    skew = Skew()
    fill(skew, START, 7 * MINUTE)
    assert skew.at(START + 3 * WINDOW, LIMIT) is None


def test_one_record_from_the_future_is_told_for_a_window() -> None:
    skew = Skew()
    skew.note(START + 6 * MINUTE, START, live=False, limit=LIMIT)
    assert skew.at(START + WINDOW, LIMIT) == 6 * MINUTE
    assert skew.at(START + WINDOW + 1, LIMIT) is None


def test_a_little_from_the_future_is_no_matter() -> None:
    skew = Skew()
    skew.note(START + LIMIT, START, live=True, limit=LIMIT)
    assert skew.at(START, LIMIT) is None


def test_a_clock_of_ours_that_jumps_back_does_no_harm() -> None:
    skew = Skew()
    fill(skew, START, 7 * MINUTE)
    fill(skew, START - 100 * WINDOW, 0)
    assert skew.at(START - 99 * WINDOW, LIMIT) is None
