import json
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from feeds.exports import EXPORTS
from feeds.files import read_trails
from feeds.formats import FORMATS
from feeds.reading import read_feed
from tests.commands.conftest import Trailhound
from trailhound.trail import Trail, TrailKind

LIST = """\
# trailhound: class=c2 confidence=90 info="emotet; \\"v2\\""
# Reference: https://tickets.example/4711
evil.example
198.51.100.7
198.51.100.0/25
2001:db8::7
198.51.100.7:4444
evil.example/gate.php?id=1
# trailhound: kind=file-sha256
{sha256}
# trailhound: kind=cert-sha1
{sha1}
# trailhound: kind=any class=policy confidence=40 info=dyndns
dyndns.example
good.example
10.1.2.3
# trailhound: expires=2020-01-01
old.example
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    list_, own, white = tmp_path / "list.txt", tmp_path / "own.txt", tmp_path / "white.txt"
    list_.write_text(LIST.format(sha256="a7" * 32, sha1="a1" * 20), "utf-8")
    own.write_text("secret.example\n")
    white.write_text("good.example\n")
    config = tmp_path / "trailhound.toml"
    config.write_text(
        f'state_dir = "{tmp_path / "state"}"\n[trails]\nfiles = ["{list_}"]\ncustom = ["{own}"]\n'
        f'whitelist = ["{white}"]\nstarter = false\nexpired_days = 36500\n'
    )
    return config


def lines(trailhound: Trailhound, config: Path, *arguments: object) -> list[str]:
    ran = trailhound("trails", "export", "-c", config, *arguments)
    assert ran.status == 0, ran.err
    return ran.out.splitlines()


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_plain_lists_are_chosen_by_class_kind_and_confidence(trailhound: Trailhound, config: Path) -> None:
    plain = ("-f", "plain")
    found = lines(trailhound, config, *plain, "--kind", "domain")
    assert found == sorted(found, key=lambda name: name[::-1])
    assert set(found) == {"evil.example", "dyndns.example", "secret.example"}
    assert lines(trailhound, config, *plain, "--kind", "domain", "--class", "c2,phishing") == ["evil.example"]
    assert lines(trailhound, config, *plain, "--kind", "ipv4,cidr") == ["198.51.100.0/25", "198.51.100.7"]
    assert "dyndns.example" not in lines(trailhound, config, *plain, "--min-confidence", 41)
    assert "secret.example" not in lines(trailhound, config, *plain, "--no-custom")


def test_what_is_left_out_is_counted_with_the_reason(trailhound: Trailhound, config: Path) -> None:
    ran = trailhound("trails", "export", "-c", config, "-f", "hosts")
    assert "3 trails as hosts" in ran.err
    assert "1 left out: expired" in ran.err
    assert "1 left out: the whitelist" in ran.err
    assert "left out: the format cannot say it" in ran.err
    assert "good.example" not in ran.out
    assert "old.example" not in ran.out


def test_the_same_set_gives_the_same_bytes(trailhound: Trailhound, config: Path) -> None:
    for name in (name for name, export in EXPORTS.items() if not export.folder):
        assert lines(trailhound, config, "-f", name) == lines(trailhound, config, "-f", name), name


def test_files_are_put_in_their_places_whole(trailhound: Trailhound, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "list.txt"
    lines(trailhound, config, "-f", "plain", "--kind", "domain", "-o", out)
    assert out.read_text().splitlines() == lines(trailhound, config, "-f", "plain", "--kind", "domain")
    assert stat.S_IMODE(out.stat().st_mode) == 0o644
    lines(trailhound, config, "-f", "plain", "--class", "spam", "-o", out)
    assert out.read_text() == "", "a list that became empty is an empty file"
    assert names(out.parent) == {"list.txt"}


def test_formats_of_several_files_make_a_folder(trailhound: Trailhound, config: Path, tmp_path: Path) -> None:
    lines(trailhound, config, "-f", "suricata-dataset", "-o", tmp_path / "suricata")
    assert {"trailhound.rules", "trailhound-domain.lst", "trailhound-ip.lst"} <= names(tmp_path / "suricata")
    ran = trailhound("trails", "export", "-c", config, "-f", "suricata-dataset")
    assert (ran.status, "a folder was expected" in ran.err) == (2, True)


def test_an_export_that_fails_leaves_the_old_one(trailhound: Trailhound, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "my.rules"
    out.write_text("the rules of before\n")
    ran = trailhound("trails", "export", "-c", config, "-f", "suricata-rules", "--sids", "1-2", "-o", out)
    assert (ran.status, "there are more than 2 rules" in ran.err) == (2, True)
    assert out.read_text() == "the rules of before\n"
    assert {name for name in names(tmp_path) if "my.rules" in name} == {"my.rules"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-f", "csv"), "--format 'csv': one of zeek-intel,"),
        (("-f", "plain", "--class", "bad"), "--class 'bad': one of malware, c2,"),
        (("-f", "plain", "--kind", "rule"), "--kind 'rule': one of domain,"),
        (("-f", "suricata-rules", "--sids", "9-1"), "--sids '9-1': two numbers"),
        (("-f", "rpz", "--zone", "a b"), "--zone 'a b': a name"),
        (("-f", "plain", "-o", "/dev/null/list"), "the export cannot be written"),
    ],
)
def test_what_is_wrong_is_said(trailhound: Trailhound, config: Path, arguments: tuple[str, ...], words: str) -> None:
    ran = trailhound("trails", "export", "-c", config, *arguments)
    assert (ran.status, words in ran.err) == (2, True), ran.err


def facts(trail: Trail) -> Mapping[str, object]:
    return {"kind": trail.kind, "value": trail.value, "info": trail.info}


def exported(trailhound: Trailhound, config: Path, name: str, place: Path) -> Iterator[Trail]:
    """Give what was exported, as the readers of lists read it."""
    lines(trailhound, config, "-f", name, "-o", place)
    yield from (entry for entry in read_trails(place) if isinstance(entry, Trail))


WHOLE = {
    "evil.example": TrailKind.DOMAIN,
    "198.51.100.7": TrailKind.IPV4,
    "198.51.100.0/25": TrailKind.CIDR,
    "2001:db8::7": TrailKind.IPV6,
    "198.51.100.7:4444": TrailKind.IP_PORT,
    "evil.example/gate.php?id=1": TrailKind.URL,
    "a7" * 32: TrailKind.FILE_SHA256,
    "a1" * 20: TrailKind.CERT_SHA1,
    "dyndns.example": TrailKind.DOMAIN,
    "secret.example": TrailKind.DOMAIN,
}


def test_lists_in_our_own_form_are_read_again_with_all_that_is_known(
    trailhound: Trailhound, config: Path, tmp_path: Path
) -> None:
    found = {trail.value: trail for trail in exported(trailhound, config, "lines", tmp_path / "out.txt")}
    assert {value: trail.kind for value, trail in found.items()} == WHOLE
    evil = found["evil.example"]
    assert (evil.info, evil.class_, evil.confidence) == ('emotet; "v2"', "c2", 90)
    assert evil.reference == "https://tickets.example/4711"
    assert (found["dyndns.example"].class_, found["dyndns.example"].confidence) == ("policy", 40)


def test_zeek_intel_is_read_again(trailhound: Trailhound, config: Path, tmp_path: Path) -> None:
    found = {trail.value: trail for trail in exported(trailhound, config, "zeek-intel", tmp_path / "out.intel")}
    assert {value: trail.kind for value, trail in found.items()} == {
        value: kind for value, kind in WHOLE.items() if kind is not TrailKind.IP_PORT
    }
    assert found["evil.example"].info == 'emotet; "v2"'
    assert found["evil.example"].sources == ("list",)
    assert found["evil.example"].reference == "https://tickets.example/4711"


@pytest.mark.parametrize("name", ["stix", "misp", "plain", "suricata-dataset"])
def test_exports_are_read_again_by_the_formats_of_feeds(
    trailhound: Trailhound, config: Path, tmp_path: Path, name: str
) -> None:
    from feeds.catalogue import feed

    out = tmp_path / f"out.{'json' if name in ('stix', 'misp') else 'txt'}"
    kinds = {"plain": "domain,ipv4,ipv6,cidr,ip:port,url", "suricata-dataset": "domain"}.get(name, "")
    lines(trailhound, config, "-f", name, "--kind", kinds, "-o", out)
    if name == "suricata-dataset":
        out = out / "trailhound-domain.lst"
    format_ = "lines" if name == "plain" else name
    assert format_ in FORMATS
    read = read_feed(feed("again", {"url": "https://feeds.example/x", "format": format_}, "a test"), [out])
    entries = list(read)
    wanted = {value: kind for value, kind in WHOLE.items() if not kinds or kind.value in kinds.split(",")}
    assert {entry.value: entry.kind for entry in entries if isinstance(entry, Trail)} == wanted
    if name in ("stix", "misp"):
        evil = next(entry for entry in entries if isinstance(entry, Trail) and entry.value == "evil.example")
        assert evil.info == 'emotet; "v2"' or name == "misp"


def test_json_is_json(trailhound: Trailhound, config: Path) -> None:
    for name in ("stix", "misp"):
        assert json.loads("\n".join(lines(trailhound, config, "-f", name)))
