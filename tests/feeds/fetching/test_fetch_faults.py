"""Whatever a server does, the copy in force stays, and the reason is told."""

import dataclasses
import gzip
import io
import re
import ssl
import tarfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress

import pytest
import trustme

from feeds.manners import Manners
from feeds.shelf import Shelf
from tests.feeds.fetching.conftest import MakeFeed
from tests.feeds.fetching.server import (
    Answer,
    Handler,
    Place,
    body,
    cut,
    dripping,
    endless,
    first,
    serving,
    status,
    to,
)
from tests.feeds.fetching.trying import GOOD, content, fetched

PAGE = b"\xef\xbb\xbf\n<!-- hi -->\n<!DOCTYPE HTML>\n<html><body>Please log in</body></html>"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("list.txt", content)
    return packed.getvalue()


def tarred(content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("list.txt")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def no_http(handler: Handler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    handler.close_connection = True


def silent(handler: Handler) -> None:
    handler.place.over.wait(20)


def many_headers(handler: Handler) -> None:
    handler.send_response(200)
    for number in range(3000):
        handler.send_header(f"X-{number}", "x" * 100)
    handler.end_headers()


BOMB = 64 * 1024 * 1024 * b"0"
FAULTS: dict[str, tuple[Answer, str]] = {
    "error": (status(500), "answers 500 Internal Server Error"),
    "busy": (status(503, Retry_After="1"), "answers 503 Service Unavailable"),
    "busy, with nonsense": (status(503, Retry_After="soon"), "answers 503 Service Unavailable"),
    "too many": (
        status(429, Retry_After="100000"),
        "answers 429 Too Many Requests, and wants to be left alone for 86400",
    ),
    "gone": (status(410), "answers 410 Gone"),
    "forbidden": (status(403), "answers 403 Forbidden; is its secret right"),
    "a number nobody knows": (status(799), "answers 799"),
    "a part": (status(206), "answers 206 Partial Content"),
    "nothing new, but it was not asked so": (status(304), "answers 304 Not Modified"),
    "no content": (status(204), "answers 204 No Content"),
    "cut off": (cut(GOOD), "was cut off"),
    "empty": (body(b""), "what came is empty"),
    "a web page": (body(PAGE, Content_Type="text/plain"), "a web page came in place of a list"),
    "a packed web page": (body(gzip.compress(PAGE)), "a web page came in place of a list"),
    "a picture": (body(PNG, Content_Type="image/png"), "neither text nor an archive"),
    "far too large, as it says": (body(b"", Content_Length="99999999999"), "is larger than 512 MiB"),
    "an odd encoding": (body(GOOD, Content_Encoding="br"), "in the encoding 'br', which nobody asked for"),
    "a gzip bomb": (body(gzip.compress(BOMB), Content_Encoding="gzip"), "unpacks to far more than an honest list"),
    "a zip bomb": (body(zipped(BOMB)), "unpacks to far more than an honest list"),
    "a tar bomb": (body(tarred(BOMB)), "unpacks to far more than an honest list"),
    "half an archive": (body(gzip.compress(GOOD * 1000)[:-20]), "this archive is damaged"),
    "half a zip": (body(zipped(GOOD)[:-30]), "this archive is damaged"),
    "no HTTP": (no_http, "was cut off, or is no HTTP"),
    "headers without end": (many_headers, "was cut off, or is no HTTP"),
    "redirects without end": (to("/list.txt"), "redirects more than 5 times"),
    "a redirect to a file": (to("file:///etc/passwd"), "redirects to a file address"),
    "a redirect to nowhere": (to("https://"), "redirects more than 5 times"),
    "a redirect to nonsense": (to("https://[::1/"), "redirects to what is no URL"),
    "a redirect to a program": (to("gopher://localhost/"), "redirects to a gopher address"),
    "a redirect to http": (to("http://localhost/list.txt"), "redirects from https to http"),
    "a redirect into the network at home": (to("https://192.168.1.1/admin"), "192.168.1.1 is no public address"),
    "a redirect to the cloud's own": (to("https://169.254.169.254/latest"), "169.254.169.254 is no public address"),
    "a redirect in disguise": (to("https://0xa000001/"), "0xa000001 is no public address"),
    "a redirect to mapped": (to("https://[::ffff:10.0.0.1]/"), "::ffff:10.0.0.1 is no public address"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_old_copy_stays(fault: str, server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    manners = dataclasses.replace(manners, retries=1, patience_seconds=0.5)
    answer, reason = FAULTS[fault]
    server.answers["/list.txt"] = first(body(GOOD), answer)
    assert fetched(make_feed(), shelf, manners).outcome == "new"
    result = fetched(make_feed(), shelf, manners)
    assert result.outcome == "failed"
    assert re.search(re.escape(reason), result.reason), result.reason
    assert content(shelf) == [GOOD]
    facts = shelf.facts("evil")
    assert (facts.error, facts.failures) == (result.reason, 1)
    assert facts.failing == facts.tried > facts.changed
    assert list((shelf.path / "evil").glob("new*")) == [], "nothing lies about"


def test_failures_are_counted_until_it_is_well_again(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = first(status(404), status(404), body(GOOD))
    fetched(make_feed(), shelf, manners)
    since = shelf.facts("evil").failing
    fetched(make_feed(), shelf, manners)
    assert (shelf.facts("evil").failures, shelf.facts("evil").failing) == (2, since)
    fetched(make_feed(), shelf, manners)
    assert (shelf.facts("evil").failures, shelf.facts("evil").failing, shelf.facts("evil").error) == (0, 0, "")


@pytest.mark.parametrize("headers_too", [False, True])
def test_one_byte_after_the_other_does_not_go_on_for_ever(
    *, headers_too: bool, server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    manners = dataclasses.replace(manners, total_seconds=0.5)
    server.answers["/list.txt"] = dripping(headers_too=headers_too)
    begun = time.monotonic()
    assert "did not come within 0.5 seconds" in fetched(make_feed(), shelf, manners).reason
    assert time.monotonic() - begun < 5


def test_silence_is_not_waited_for(server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    manners = dataclasses.replace(manners, read_seconds=0.2, retries=1)
    server.answers["/list.txt"] = silent
    assert "does not answer in time" in fetched(make_feed(), shelf, manners).reason
    assert len(server.requests) == 2


def test_a_list_without_end_is_cut(server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    server.answers["/list.txt"] = endless
    manners = dataclasses.replace(manners, max_bytes=1_000_000)
    assert "is larger than 1,000,000 bytes" in fetched(make_feed(), shelf, manners).reason
    assert len(server.requests) == 1


def test_a_feed_is_bounded_over_all_its_lists(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    paths = [f"/{number}" for number in range(5)]
    server.answers |= {path: body(GOOD * 100) for path in paths}
    manners = dataclasses.replace(manners, max_feed_bytes=len(GOOD) * 350)
    assert "over all its documents" in fetched(make_feed(*paths), shelf, manners).reason


@pytest.mark.parametrize(
    ("checksum", "reason"),
    [
        (body(b"0" * 64), "and 000000000000... was expected"),
        (body(b"no sum"), "its checksum cannot be read"),
        (body(b"0" * 64 + b"\n" + b"1" * 64), "its checksum cannot be read"),
        (body(b"x" * 100_000), "is larger than"),
        (status(404), "/sum: answers 404"),
    ],
)
def test_a_list_without_the_right_checksum_is_not_taken(
    checksum: Answer, reason: str, server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers |= {"/list.txt": body(GOOD), "/sum": checksum}
    result = fetched(make_feed(checksum=server.url("/sum")), shelf, manners)
    assert result.outcome == "failed"
    assert reason in result.reason
    assert content(shelf) is None


def test_the_type_a_server_gives_a_list_does_not_matter(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = body(GOOD, Content_Type="text/html; charset=utf-8")
    assert fetched(make_feed(), shelf, manners).outcome == "new"


def test_a_list_that_is_published_as_a_page_may_be_one(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = body(PAGE)
    feed = dataclasses.replace(make_feed(), format="regex")
    assert fetched(feed, shelf, manners).outcome == "new"


def test_a_name_that_does_not_resolve_is_told(make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    reason = fetched(make_feed("https://nowhere.invalid/list.txt"), shelf, manners).reason
    assert reason.startswith("https://nowhere.invalid/list.txt: nowhere.invalid cannot be resolved")


def test_a_closed_port_is_told(make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    reason = fetched(make_feed("https://localhost:1/list.txt"), shelf, manners).reason
    assert reason == "https://localhost:1/list.txt: cannot be reached: Connection refused"


@pytest.fixture
def stranger() -> Iterator[Place]:
    with serving(Handler, trustme.CA()) as place:
        yield place


def test_a_certificate_of_somebody_else_is_not_trusted(
    stranger: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    stranger.answers["/list.txt"] = body(GOOD)
    reason = fetched(make_feed(stranger.url("/list.txt")), shelf, manners).reason
    assert "its certificate is not trusted: " in reason
    assert stranger.requests == []


def test_a_certificate_for_another_name_is_not_trusted(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, "other.test")
    reason = fetched(make_feed(f"https://other.test:{server.port}/list.txt"), shelf, manners).reason
    assert "its certificate is not trusted: Hostname mismatch" in reason


def test_http_on_the_port_of_https_is_told(
    plain_server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    url = plain_server.url("/list.txt").replace("http:", "https:")
    assert "no secure connection" in fetched(make_feed(url), shelf, manners).reason


def test_odd_certificates_of_our_own_are_told(make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    assert manners.ca_file is not None
    manners.ca_file.write_text("no certificate")
    with suppress(ssl.SSLError), pytest.raises(Exception, match=r"authority\.pem: the certificates cannot be read"):
        fetched(make_feed(), shelf, manners)


def resolving(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    import socket

    real = socket.getaddrinfo

    def resolve(host: str, *arguments: object, **options: object) -> object:
        return real("127.0.0.1" if host == name else host, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
