"""A trail set from another Trailhound, over a network on which everything goes wrong."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from feeds.line import Passing
from feeds.manners import Manners
from feeds.pull import Central, pull
from tests.feeds.fetching.server import Answer, Handler, Place, status, to
from trailhound.errors import FetchError, TrailSetError

KEY = "the-key-of-this-sensor"
SET = b"a set, as far as the network knows" * 1000


def whole(content: bytes = SET, digest: bytes | None = None, **more: str) -> Answer:
    told = b64encode(digest or sha256(content).digest()).decode()
    headers = {
        "Repr-Digest": f"sha-256=:{told}:",
        "ETag": 'W/"new"',
        **{n.replace("_", "-"): v for n, v in more.items()},
    }

    def answer(handler: Handler) -> None:
        if handler.headers["Authorization"] != f"Bearer {KEY}":
            handler.reply(401, {}, b"")
        elif handler.headers["If-None-Match"] == 'W/"new"':
            handler.reply(304, {}, b"")
        else:
            handler.reply(200, headers, content)

    return answer


@pytest.fixture
def central(server: Place, manners: Manners) -> Central:
    return Central(server.url("/trails"), KEY, manners.ca_file, step_seconds=1.0)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "central.set"
    path.write_bytes(b"the set of before")
    return path


def accept(path: Path) -> None:
    assert path.read_bytes() == SET


def unchanged(target: Path) -> bool:
    """Tell whether the set of before is there, and nothing beside it was left."""
    left = [file.name for file in target.parent.iterdir() if "central.set" in file.name]
    return target.read_bytes() == b"the set of before" and left == ["central.set"]


def test_a_new_set_is_put_in_its_place(server: Place, central: Central, target: Path) -> None:
    server.answers["/trails"] = whole()
    assert pull(central, target, "", accept)
    assert target.read_bytes() == SET
    assert [file.name for file in target.parent.iterdir() if file.suffix == ".set"] == ["central.set"]
    assert "if-none-match" not in server.requests[0].headers


def test_the_set_that_is_here_is_not_fetched_again(server: Place, central: Central, target: Path) -> None:
    server.answers["/trails"] = whole()
    assert not pull(central, target, "new", accept)
    assert unchanged(target)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (401, "it does not know our key"),
        (404, "handing_on.keys is empty"),
        (421, "api.names"),
        (503, "no set to give"),
        (418, "the set was expected"),
        (304, "the set was expected"),
    ],
)
def test_each_refusal_is_explained(server: Place, central: Central, target: Path, code: int, words: str) -> None:
    server.answers["/trails"] = status(code, Retry_After="7")
    with pytest.raises(FetchError, match=words) as caught:
        pull(central, target, "", accept)
    assert isinstance(caught.value, Passing) == (code == 503)
    assert not isinstance(caught.value, Passing) or caught.value.after == 7
    assert unchanged(target)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (whole(digest=sha256(b"another").digest()), "came damaged"),
        (whole(Repr_Digest="md5=:AAAA:"), "sent no Repr-Digest"),
        (whole(Repr_Digest="sha-256=:!!!:"), "sent no Repr-Digest"),
        (whole(Content_Length=str(len(SET) + 100)), "cannot be fetched"),
        (lambda handler: handler.connection.close(), "cannot be fetched"),
    ],
)
def test_what_is_not_whole_and_right_is_not_taken(
    server: Place, central: Central, target: Path, answer: Answer, words: str
) -> None:
    server.answers["/trails"] = answer
    with pytest.raises(FetchError, match=words):
        pull(central, target, "", _never)
    assert unchanged(target)


def _never(path: Path) -> None:
    pytest.fail(f"{path} was looked at, though it is not whole")


def test_a_set_that_is_refused_leaves_the_one_of_before(server: Place, central: Central, target: Path) -> None:
    server.answers["/trails"] = whole()

    def refuse(path: Path) -> None:
        raise TrailSetError(f"{path}: is worse")

    with pytest.raises(TrailSetError):
        pull(central, target, "", refuse)
    assert unchanged(target)


def test_a_set_that_is_too_large_is_not_taken(server: Place, central: Central, target: Path) -> None:
    server.answers["/trails"] = whole()
    with pytest.raises(FetchError, match=r"central\.max_bytes"):
        pull(Central(central.url, KEY, central.ca_file, 1000), target, "", accept)
    assert unchanged(target)


def test_a_redirect_does_not_get_the_key(server: Place, central: Central, target: Path) -> None:
    server.answers["/trails"] = to(server.url("/elsewhere"))
    server.answers["/elsewhere"] = whole()
    with pytest.raises(FetchError, match="302"):
        pull(central, target, "", accept)
    assert server.asked("/elsewhere") == []


def test_a_foreign_certificate_is_refused_before_the_key_goes(server: Place, central: Central, target: Path) -> None:
    with pytest.raises(FetchError, match="CERTIFICATE_VERIFY_FAILED"):
        pull(Central(central.url, KEY), target, "", accept)
    assert server.requests == []


def test_certificates_that_cannot_be_read_are_named(central: Central, target: Path, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"central\.ca_file"):
        pull(Central(central.url, KEY, tmp_path / "none.pem"), target, "", accept)
