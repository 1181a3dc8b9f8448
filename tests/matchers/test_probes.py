"""The probes never hide what the rules find."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.batch import BadLine
from ingest.formats import reader_of
from matchers.engine import Engine
from matchers.events import Events
from matchers.networks import HomeNetworks
from matchers.view import View
from tests.ingest.reading import WANTED
from tests.matchers.build import counts, engine, trail
from trailhound import canonical
from trailhound.errors import TrailError
from trailhound.settings import HOME_NETWORKS
from trailhound.trail import LISTED_KINDS, Trail, TrailKind

# Few values, so that records and trails meet often; every spelling of them that a log could have.
LABELS = st.sampled_from(["a", "b", "www", "evil", "onion", "ns1", "ip-adress", "com", "_x", "bücher"])
NAMES = st.lists(LABELS, min_size=1, max_size=5).map(".".join)
ADDRESSES = st.sampled_from(["192.0.2.1", "192.0.2.2", "10.0.0.1", "2001:db8::1", "2001:DB8:0::1", "::ffff:192.0.2.1"])
HOSTS = st.one_of(NAMES, ADDRESSES, ADDRESSES.map("[{}]".format), NAMES.map("{}.".format), NAMES.map(str.upper))
PORTS = st.sampled_from(["", ":80", ":443", ":8080", ":99999", ":x"])
AUTHORITIES = st.tuples(HOSTS, PORTS).map("".join)
SEGMENTS = st.sampled_from(["a", "b", "x.php", "A", "%41", "%2f", "%", "ü", "", "..", "%3f"])
PATHS = st.lists(SEGMENTS, max_size=4).map("/".join)
QUERIES = st.sampled_from(["", "?", "?a", "?a=1", "?a=1&b=2", "?a=", "?a=/b", "#f", "?u=http://evil.com/a"])
URIS = st.tuples(st.sampled_from(["/", "//", "", "http://evil.com", "http://u@www.a.com:8080", "*"]), PATHS, QUERIES)
TARGETS = st.one_of(URIS.map("".join), AUTHORITIES.map("http://{}".format), AUTHORITIES)
AGENTS = st.sampled_from(["curl/8", "sqlmap/1.7", "SQLMAP", " curl/8 ", "Mozilla/5.0"])
DIGESTS = st.sampled_from(["a" * 32, "B" * 32, "a" * 40, ":".join(["aa"] * 20), "a" * 64, "t13d1516h2_" + "a" * 12])
SUBJECTS = st.one_of(NAMES.map("O=x,CN={}".format), NAMES.map("CN=*.{}/O=y".format))
FORWARDED = st.one_of(ADDRESSES, st.lists(ADDRESSES, max_size=3).map(lambda a: f"X-FORWARDED-FOR -> {', '.join(a)}"))
ANYTHING = st.one_of(HOSTS, AUTHORITIES, TARGETS, AGENTS, DIGESTS, SUBJECTS, FORWARDED)

COLUMNS: Mapping[str, Mapping[str, st.SearchStrategy[Any]]] = {
    "conn": {},
    "dns": {"query": HOSTS, "answers": st.lists(st.one_of(HOSTS, ADDRESSES), max_size=3)},
    "http": {
        "method": st.sampled_from(["GET", "CONNECT"]),
        "host": AUTHORITIES,
        "uri": TARGETS,
        "user_agent": AGENTS,
        "referrer": st.one_of(TARGETS, AUTHORITIES),
        "proxied": st.lists(FORWARDED, max_size=2),
    },
    "ssl": {
        "server_name": AUTHORITIES,
        "cert_chain_fps": st.lists(DIGESTS, max_size=2),
        "subject": SUBJECTS,
        "ja3": DIGESTS,
        "ja3s": DIGESTS,
        "ja4": DIGESTS,
    },
    "x509": {"fingerprint": DIGESTS, "certificate.subject": SUBJECTS, "san.dns": st.lists(NAMES.map("*.{}".format))},
    "files": {
        "md5": DIGESTS,
        "sha1": DIGESTS,
        "sha256": DIGESTS,
        "mime_type": st.sampled_from(["text/html", "application/pkix-cert"]),
    },
    "quic": {"server_name": AUTHORITIES, "ja4": DIGESTS},
}


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    log = draw(st.sampled_from(sorted(COLUMNS)))
    columns = COLUMNS[log]
    ends = {"id.orig_h": draw(ADDRESSES), "id.orig_p": 80, "id.resp_h": draw(ADDRESSES), "id.resp_p": 8080}
    # Now and then a value stands where another kind is expected.
    cells = {
        name: draw(strategy) if draw(st.integers(0, 9)) else draw(ANYTHING)
        for name, strategy in columns.items()
        if draw(st.booleans())
    }
    return {"_path": log, "ts": 1.0, **({} if log == "x509" else ends), **cells}


@st.composite
def trails(draw: st.DrawFn) -> Trail:
    kind = draw(st.sampled_from(LISTED_KINDS))
    match kind:
        case TrailKind.WILDCARD:
            text = draw(st.sampled_from([r"evil[.]", r"^a\.", r"\.onion"]))
        case TrailKind.USER_AGENT_REGEX:
            text = draw(st.sampled_from(["sqlmap", "^curl", "CURL/[0-9]"]))
        case TrailKind.CIDR:
            text = draw(st.sampled_from(["192.0.2.0/24", "2001:db8::/32", "0.0.0.0/1"]))
        case TrailKind.PATH:
            text = f"/{draw(PATHS)}{draw(QUERIES)}"
        case TrailKind.URL | TrailKind.HTTP_HOST:
            text = f"{draw(AUTHORITIES)}/{draw(PATHS)}{draw(QUERIES)}"
        case _:
            text = draw(ANYTHING)
    try:
        return trail(kind, text)
    except TrailError:
        return trail(TrailKind.IPV4, "192.0.2.2")


def texts(row: Mapping[str, Any]) -> list[str]:
    """List every text of a row."""
    cells = [value for name, value in row.items() if name not in ("_path", "method")]
    return [text for cell in cells for text in (cell if isinstance(cell, list) else [cell]) if isinstance(text, str)]


@st.composite
def aimed(draw: st.DrawFn, row: Mapping[str, Any]) -> Trail:
    """Draw a trail for something that stands in a row."""
    values = texts(row)
    text = draw(st.sampled_from(values)) if values else "192.0.2.2"
    if draw(st.booleans()) and row["_path"] in ("http", "ssl", "quic"):
        host = draw(st.sampled_from([row.get("host"), row.get("server_name"), row["id.resp_h"]])) or "a.com"
        path = row.get("uri", "/")
        text = f"{host.removeprefix('www.')}{draw(st.sampled_from([path, '/', path.partition('?')[0]]))}"
    kinds = [reading.kind for reading in canonical.readings(text)] or [TrailKind.URL]
    try:
        return trail(draw(st.sampled_from([*kinds, TrailKind.HTTP_HOST])), text)
    except TrailError:
        return trail(TrailKind.IPV4, "192.0.2.2")


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[Trail]]:
    written = draw(st.lists(rows(), min_size=1, max_size=4))
    listed = draw(st.lists(trails(), max_size=6))
    return written, [*listed, *(draw(aimed(row)) for row in written)]


def by_rules(machine: Engine, content: bytes) -> Events:
    """Judge every record, whatever the probes say."""
    events = Events("sensor")
    homes = HomeNetworks(HOME_NETWORKS)
    for batch in reader_of("zeek-json", WANTED, "").feed(content):
        assert not isinstance(batch, BadLine)
        for row in range(len(batch)):
            record = batch.record(row)
            observer = machine.observers[record.log]
            source, destination = (canonical.address(end or "") for end in (record.source, record.destination))
            direction = homes.direction(record, source, destination)
            for meeting in machine.rules.meet(observer.observe(record), direction):
                events.add(record, meeting, observer, direction)
    return events


def one(log: str, kind: TrailKind, text: str, **cells: Any) -> tuple[list[dict[str, Any]], list[Trail]]:
    row = {"_path": log, "ts": 1.0, "id.orig_h": "10.0.0.1", "id.resp_h": "192.0.2.9"}
    return [{**row, **cells}], [trail(kind, text)]


@settings(max_examples=400, deadline=None)
@given(cases())
@example(one("http", TrailKind.URL, "192.0.2.9/a", uri="/a"))
@example(one("http", TrailKind.HTTP_HOST, "192.0.2.9/", uri="/a"))
@example(one("http", TrailKind.URL, "b.example/a", uri="/a", host="www.b.example"))
@example(one("http", TrailKind.HTTP_HOST, "b.example/", uri="http://b.example?x=1"))
@example(one("http", TrailKind.URL, "b.example/?x=", uri="?x=1", host="b.example"))
@example(one("ssl", TrailKind.HTTP_HOST, "b.example/", server_name="www.b.example"))
@example(one("quic", TrailKind.HTTP_HOST, "192.0.2.1/", server_name="[192.0.2.1]"))
@example(one("x509", TrailKind.DOMAIN, "b.example", **{"san.dns": ["*.b.example"]}))
def test_a_batch_gives_what_judging_every_record_gives(case: tuple[list[dict[str, Any]], list[Trail]]) -> None:
    written, listed = case
    machine = engine(listed)
    content = "".join(json.dumps(row) + "\n" for row in written).encode()
    events = Events("sensor")
    for batch in reader_of("zeek-json", WANTED, "").feed(content):
        assert not isinstance(batch, BadLine)
        for row in machine.hot_rows(View(batch)):
            machine.judge(batch.record(row), events)
    expected = by_rules(engine(listed), content).drain()
    assert counts(events.drain()) == counts(expected)
    if written[0].get("id.resp_h") == "192.0.2.9":
        assert expected  # The examples by hand are about what is found.
