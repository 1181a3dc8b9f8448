"""Rules and data sets, judged by the real Suricata."""

import json
import re
import shutil
import struct
import subprocess
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from socket import inet_aton

import pytest

from feeds.exports import EXPORTS
from feeds.exports.export import Wishes
from feeds.exports.suricata_rules import content
from tests.feeds.exports.trails import HOSTILE, MADE, every_kind, trail, written
from trailhound.errors import SettingsError
from trailhound.trail import TrailKind

SURICATA = shutil.which("suricata")
needs_suricata = pytest.mark.usefixtures("real_suricata")
CONFIG = """\
%YAML 1.1
---
vars:
  address-groups: {{HOME_NET: "[10.0.0.0/8]", EXTERNAL_NET: "!$HOME_NET"}}
default-rule-path: {folder}
classification-file: {folder}/classification.config
reputation-categories-file: {folder}/categories.txt
default-reputation-path: {folder}
reputation-files: [reputation.list]
default-log-dir: {folder}
outputs: [{{eve-log: {{enabled: yes, filetype: regular, filename: eve.json, types: [alert]}}}}]
logging: {{outputs: [{{console: {{enabled: yes}}}}]}}
app-layer:
  protocols:
    tls: {{enabled: yes, ja3-fingerprints: yes, detection-ports: {{dp: 443}}}}
    http: {{enabled: yes}}
    smtp: {{enabled: yes}}
    dns: {{udp: {{enabled: yes}}, tcp: {{enabled: yes}}}}
"""
CLASSES = "trojan-activity social-engineering attempted-user misc-attack attempted-recon policy-violation bad-unknown"


def loads(folder: Path, rules: str) -> str:
    """Have Suricata load all rules of a file, or fail at the first that is wrong."""
    classes = "".join(f"config classification: {word},{word},1\n" for word in CLASSES.split())
    (folder / "classification.config").write_text(classes)
    for file in ("categories.txt", "reputation.list"):
        (folder / file).touch()
    config = folder / "suricata.yaml"
    config.write_text(CONFIG.format(folder=folder))
    return suricata(folder, rules, "-T", "-v")


def suricata(folder: Path, rules: str, *how: str) -> str:
    config = str(folder / "suricata.yaml")
    command = [str(SURICATA), "-c", config, "-S", str(folder / rules), "-l", str(folder), *how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=120)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def question(name: str, to: str) -> bytes:
    """Make an IPv4 packet that asks `to` for a name."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    dns = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)
    udp = struct.pack(">HHHH", 40_000, 53, 8 + len(dns), 0) + dns
    ends = inet_aton("10.0.0.5") + inet_aton(to)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + ends
    total = sum(struct.unpack(">10H", head))
    checksum = ~(total + (total >> 16)) & 0xFFFF
    return head[:10] + struct.pack(">H", checksum) + head[12:] + udp


def capture(path: Path, packets: Sequence[bytes]) -> None:
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101))  # Bare IP.
        for number, packet in enumerate(packets):
            file.write(struct.pack("<IIII", MADE + number, 0, len(packet), len(packet)) + packet)


def alerts(folder: Path, rules: str, packets: Sequence[bytes]) -> list[str]:
    """Have Suricata read packets; give the messages of its alerts."""
    capture(folder / "packets.pcap", packets)
    suricata(folder, rules, "-k", "none", "-r", str(folder / "packets.pcap"))
    events = map(json.loads, (folder / "eve.json").read_text("utf-8").splitlines())
    return sorted(event["alert"]["signature"] for event in events if event["event_type"] == "alert")


def put(folder: Path, files: dict[str, str], only: str = "") -> None:
    for name, text in files.items():
        (folder / (name or only)).write_text(text, "utf-8")


@needs_suricata
def test_suricata_loads_a_rule_of_every_kind(tmp_path: Path) -> None:
    files = written("suricata-rules", every_kind(HOSTILE))
    put(tmp_path, files, "trailhound.rules")
    said = loads(tmp_path, "trailhound.rules")
    assert f"{files[''].count(chr(10))} rules successfully loaded, 0 rules failed" in said


@needs_suricata
def test_suricata_loads_data_sets_of_every_kind(tmp_path: Path) -> None:
    files = written("suricata-dataset", every_kind(HOSTILE))
    put(tmp_path, files)
    said = loads(tmp_path, "trailhound.rules")
    assert f"{files['trailhound.rules'].count(chr(10))} rules successfully loaded, 0 rules failed" in said


PACKETS = (
    question("www.evil.example", "192.0.2.1"),
    question("evil.example", "192.0.2.2"),
    question("notevil.example", "192.0.2.3"),
    question("harmless.example", "198.51.100.7"),
    question("harmless.example", "203.0.113.9"),
)
MET = (trail(TrailKind.DOMAIN, "evil.example"), trail(TrailKind.IPV4, "198.51.100.7"))


@needs_suricata
def test_rules_find_names_with_all_below_them_and_addresses(tmp_path: Path) -> None:
    put(tmp_path, written("suricata-rules", [*MET, trail(TrailKind.CIDR, "203.0.113.0/24")]), "my.rules")
    loads(tmp_path, "my.rules")
    assert alerts(tmp_path, "my.rules", PACKETS) == ["Trailhound c2: emotet"] * 4


@needs_suricata
def test_data_sets_find_whole_names_and_addresses(tmp_path: Path) -> None:
    put(tmp_path, written("suricata-dataset", MET))
    loads(tmp_path, "trailhound.rules")
    assert alerts(tmp_path, "trailhound.rules", PACKETS) == [
        "Trailhound: domain on a list (dns.query)",
        "Trailhound: ip on a list (ip.dst)",
    ]


@needs_suricata
def test_reputation_finds_addresses_and_networks(tmp_path: Path) -> None:
    put(tmp_path, written("suricata-iprep", [*MET, trail(TrailKind.CIDR, "203.0.113.0/24")]))
    loads(tmp_path, "trailhound-iprep.rules")
    found = alerts(tmp_path, "trailhound-iprep.rules", PACKETS)
    assert found == ["Trailhound: c2 address on a list (dst)"] * 2


@needs_suricata
def test_suricata_loads_the_reputation_of_addresses(tmp_path: Path) -> None:
    put(tmp_path, written("suricata-iprep", every_kind()))
    assert "2 rules successfully loaded, 0 rules failed" in loads(tmp_path, "trailhound-iprep.rules")


def test_data_sets_hold_whole_values_in_base64() -> None:
    files = written("suricata-dataset", every_kind())
    assert b64decode(files["trailhound-domain.lst"]) == b"evil.example"
    assert b64decode(files["trailhound-http-host.lst"]) == b"198.51.100.9"
    assert b64decode(files["trailhound-certificate.lst"]).startswith(b"a1:a1:")
    assert files["trailhound-ip.lst"] == "198.51.100.7\n2001:db8::7\n"
    assert files["trailhound-sha256.lst"] == "a7" * 32 + "\n"


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("plain.example", "plain.example"),
        ('a"b;c\\d:e|f', "a|22|b|3b|c|5c|d|3a|e|7c|f"),
        (" a  b ", "|20|a|20| b|20|"),
        ("é", "|c3 a9|"),
    ],
)
def test_contents_are_spelled_so_that_they_mean_themselves(text: str, spelled: str) -> None:
    assert content(text) == spelled


def test_the_number_of_a_rule_does_not_depend_on_the_others() -> None:
    alone = written("suricata-rules", [trail(TrailKind.DOMAIN, "evil.example")])[""].splitlines()
    among = written("suricata-rules", every_kind())[""].splitlines()
    assert set(alone) <= set(among)
    numbers = [int(found) for found in re.findall(r"sid:(\d+)", "\n".join(among))]
    assert len(set(numbers)) == len(numbers)
    assert all(1_000_000 <= number <= 1_999_999 for number in numbers)


def test_rules_that_find_no_number_are_refused_with_what_to_do() -> None:
    with pytest.raises(SettingsError, match=r"more than 2 rules .* take suricata-dataset"):
        written("suricata-rules", every_kind(), Wishes(MADE, sids=(100, 101)))


def test_two_rules_share_a_small_room() -> None:
    rules = written("suricata-rules", every_kind()[5:6] * 1 + every_kind()[3:4], Wishes(MADE, sids=(7, 8)))[""]
    assert set(re.findall(r"sid:(\d+)", rules)) == {"7", "8"}


def test_only_sets_that_hold_something_are_asked() -> None:
    files = written("suricata-dataset", [trail(TrailKind.IPV4, "198.51.100.7")])
    assert set(files) == {"trailhound-ip.lst", "trailhound.rules"}
    assert "ip.src" in files["trailhound.rules"]
    assert set(EXPORTS["suricata-dataset"].kinds) >= {TrailKind.IPV4}
