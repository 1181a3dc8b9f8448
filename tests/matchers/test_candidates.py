"""Under which other spellings a value is looked up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers import candidates
from trailhound import canonical


@pytest.mark.parametrize(
    ("path", "pieces"),
    [
        ("/", []),
        ("/a", ["/a"]),
        ("/a/", ["/a"]),
        ("/a/b", ["/a/b", "/b", "/a"]),
        ("/a/b?", ["/a/b?", "/a/b", "/b?", "/a", "/b"]),
        (
            "/a/b.php?x=1&y=2",
            ["/a/b.php?x=1&y=2", "/a/b.php", "/a/b.php?x=", "/a/b.php?x=&y=", "/b.php?x=&y=", "/a", "/b.php"],
        ),
        ("/b?word", ["/b?word", "/b"]),
        ("/?a=/x/y", ["/?a=/x/y", "/?a=", "/"][:2]),
    ],
)
def test_a_path_is_looked_up_in_these_pieces_in_this_order(path: str, pieces: list[str]) -> None:
    assert candidates.paths(path) == pieces


@given(st.text(max_size=40))
def test_pieces_are_few_and_begin_with_a_slash(text: str) -> None:
    pieces = candidates.paths(canonical.request_path(text))
    assert len(pieces) <= 7
    assert all(piece.startswith("/") for piece in pieces)


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("a.example", ["a.example"]),
        ("x.onion", ["x.onion"]),
        ("a.x.onion.ws", ["a.x.onion.ws", "a.x.onion"]),
        ("x.i2p.to", ["x.i2p.to", "x.i2p"]),
        ("evil.ip-adress.com", ["evil.ip-adress.com", "evil"]),
    ],
)
def test_a_name_is_looked_up_in_these_forms(name: str, forms: list[str]) -> None:
    assert list(candidates.names(name)) == forms
