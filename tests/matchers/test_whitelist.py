"""The whitelist: the longest entry, the narrowest network, and lines that mean nothing are refused."""

from pathlib import Path

import pytest

from matchers.whitelist import Entry, Whitelist, load
from tests.matchers.build import whitelist
from trailhound.errors import SourceError

LIST = whitelist(
    "# a comment\n\nexample.com # why\nwww.example.com\n*.Wild.Example.\n192.0.2.7\n"
    "192.0.2.0/24\n0.0.0.0/1\n2001:DB8::/32\n"
)


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("x.www.example.com", "www.example.com"),
        ("notexample.com", None),
        ("com", None),
        ("wild.example", "wild.example"),
        ("", None),
    ],
)
def test_a_name_is_judged_by_the_longest_entry_above_it(name: str, entry: str | None) -> None:
    found = LIST.name(name)
    assert (found.value if found else None) == entry


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.8", "192.0.2.0/24"),
        ("100.0.0.1", "0.0.0.0/1"),
        ("200.0.0.1", None),
        ("2001:db8::1", "2001:db8::/32"),
        ("2001:db9::1", None),
    ],
)
def test_an_address_is_judged_by_the_narrowest_entry_around_it(address: str, entry: str | None) -> None:
    found = LIST.address(address)
    assert (found.value if found else None) == entry


def test_an_entry_knows_why_and_where() -> None:
    entry = LIST.name("example.com")
    assert entry is not None
    assert (entry.reason, entry.place) == ("why", "a test, line 3")


def test_the_built_in_list_can_be_read_and_left_out() -> None:
    assert len(load([])) > 100
    assert len(load([], builtin=False)) == 0


def test_a_line_that_is_no_entry_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "white.txt"
    path.write_text("fine.example\nnot a name\n")
    with pytest.raises(SourceError, match=r"white\.txt, line 2: 'not a name' is neither a name nor an address"):
        load([path], builtin=False)


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.txt: the whitelist cannot be read"):
        load([tmp_path / "none.txt"])


def test_an_entry_that_hides_all_below_it_comes_before_a_longer_one() -> None:
    entries = [Entry("example.com", "", "a"), Entry("www.example.com", "", "b"), Entry("192.0.2.0/28", "", "c")]
    below = [Entry("example.com", "", "d", below=True), Entry("192.0.2.0/24", "", "e", below=True)]
    for number, listed in enumerate((Whitelist(entries), Whitelist([*entries, *below]))):
        name, address = listed.name("a.www.example.com"), listed.address("192.0.2.1")
        assert name is not None
        assert address is not None
        assert (name.place, address.place) == (("b", "c"), ("d", "e"))[number]
