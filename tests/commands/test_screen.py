"""What is written to a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from trailhound.commands.screen import visible


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert visible(text).isprintable()


@given(st.text())
def test_what_is_printable_stays_as_it_is(text: str) -> None:
    printable = "".join(filter(str.isprintable, text))
    assert visible(printable) == printable


def test_what_is_not_is_shown_by_its_code() -> None:
    assert visible("\x1b[2J\x9b\u202e\udcff\n") == "\\x1b[2J\\x9b\\u202e\\udcff\\x0a"
