"""`trailhound rules`."""

import json
import shutil
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from matchers import heuristics
from tests.commands.conftest import Trailhound
from tests.matchers.heuristics.questions import Question, log
from trailhound.commands import suspicions

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "heuristics.md"


def on(trailhound: Trailhound, *options: object) -> dict[str, tuple[bool, str]]:
    ran = trailhound("rules", "list", "--json", *options)
    assert ran.status == 0
    return {one["name"]: (one["on"], one["by"]) for one in json.loads(ran.out)}


def config_of(folder: Path, text: str) -> Path:
    path = folder / "trailhound.toml"
    path.write_text(text)
    return path


def test_list_names_every_heuristic_and_behaviour(trailhound: Trailhound) -> None:
    said = trailhound("rules", "list").out
    rules = suspicions.rules()
    assert [
        name for name, rule in rules.items() if name not in said or (rule.technique and rule.technique.id not in said)
    ] == []
    assert f"{sum(rule.enabled for rule in rules.values())} of {len(rules)} are on" in said


@pytest.mark.parametrize("name", suspicions.rules())
def test_explain_says_all_that_one_says_of_itself(trailhound: Trailhound, name: str) -> None:
    rule = suspicions.rules()[name]
    said = trailhound("rules", "explain", name).out
    for text in (rule.title, rule.about, rule.silence, rule.blind, *rule.false_positives, *rule.reads):
        assert text in said
    for threshold, field in rule.thresholds.model_fields.items():
        assert f"{threshold} = {field.default} (" in said
        assert str(field.description) in said
    told = json.loads(trailhound("rules", "explain", name, "--json").out)
    assert (told["name"], told["about"]) == (name, rule.about)
    assert [one["name"] for one in told["thresholds"]] == list(rule.thresholds.model_fields)


def test_explain_tells_thresholds_in_force_and_what_they_were(trailhound: Trailhound, tmp_path: Path) -> None:
    config = config_of(tmp_path, "[heuristics.thresholds.port-scan]\nports = 25\n")
    assert (
        "ports = 25 (>= 2, <= 1000; the default is 10): More"
        in trailhound("rules", "explain", "port-scan", "-c", config).out
    )


def test_what_is_switched_stays_so_until_the_opposite_is_said(trailhound: Trailhound) -> None:
    assert on(trailhound)["port-scan"] == (True, "")
    assert trailhound("rules", "disable", "port-scan", "udp-scan").out == "port-scan, udp-scan: off\n"
    assert on(trailhound)["port-scan"] == (False, "trailhound rules disable")
    assert "off, by `trailhound rules disable`" in trailhound("rules", "explain", "port-scan").out
    assert trailhound("rules", "enable", "port-scan").out == "port-scan: on\n"
    found = on(trailhound)
    assert (found["port-scan"], found["udp-scan"][0]) == ((True, ""), False)


def test_one_that_is_off_by_default_is_switched_on(trailhound: Trailhound) -> None:
    (name, *_) = [name for name, rule in suspicions.rules().items() if not rule.enabled]
    assert on(trailhound)[name] == (False, "")
    trailhound("rules", "enable", name)
    assert on(trailhound)[name] == (True, "trailhound rules enable")


@pytest.mark.parametrize(
    ("settings", "command", "said"),
    [
        ('disabled = ["port-scan"]', "enable", "port-scan stands in heuristics.disabled of the settings"),
        ('also = ["port-scan"]', "disable", "port-scan stands in heuristics.also of the settings"),
        ("enabled = false", "enable", "heuristics.enabled is false"),
    ],
)
def test_settings_are_stronger_and_it_is_said(
    trailhound: Trailhound, tmp_path: Path, settings: str, command: str, said: str
) -> None:
    before = on(trailhound)
    ran = trailhound("rules", command, "port-scan", "-c", config_of(tmp_path, f"[heuristics]\n{settings}\n"))
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert on(trailhound) == before


def test_settings_win_over_what_was_switched_before(trailhound: Trailhound, tmp_path: Path) -> None:
    trailhound("rules", "disable", "port-scan")
    config = config_of(tmp_path, '[heuristics]\nalso = ["port-scan"]\n')
    assert on(trailhound, "-c", config)["port-scan"] == (True, "heuristics.also of the settings")


@pytest.mark.parametrize("command", ["enable", "disable", "explain"])
def test_a_mistyped_name_is_answered_with_the_nearest(trailhound: Trailhound, command: str) -> None:
    ran = trailhound("rules", command, "port_scan")
    assert (ran.status, ran.err) == (2, "trailhound: 'port_scan' is no heuristic; did you mean port-scan?\n")
    assert "`trailhound rules list` names all" in trailhound("rules", command, "zzzz").err


def test_damaged_switches_are_named(trailhound: Trailhound, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "switches.json").write_text("{")
    ran = trailhound("rules", "list", "--state", folder)
    assert ran.status == 2
    assert "rules/switches.json: which rules are on cannot be read" in ran.err


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            '[heuristics]\ndisabled = ["port-scann"]',
            "heuristics.disabled: 'port-scann' is no heuristic; did you mean port-scan?",
        ),
        (
            "[heuristics.thresholds.port-scan]\nports = 1",
            "heuristics.thresholds.port-scan.ports: Input should be greater than",
        ),
        (
            "[heuristics.thresholds.port-scan]\nport = 9",
            "heuristics.thresholds.port-scan.port: Extra inputs are not permitted",
        ),
        ("[heuristics.thresholds.beacon]\nfoo = 9", "heuristics.thresholds.beacon.foo: Extra inputs are not permitted"),
        ('[[heuristics.mute]]\nsource = "10.0.0.0/99"', "'10.0.0.0/99' is no address and no network"),
    ],
)
def test_config_check_finds_what_is_wrong_with_heuristics(
    trailhound: Trailhound, tmp_path: Path, settings: str, said: str
) -> None:
    ran = trailhound("config", "check", "-c", config_of(tmp_path, f"{settings}\n"))
    assert ran.status == 2
    assert said in ran.err


def test_measure_counts_alerts_by_records_and_leaves_out_what_is_off(trailhound: Trailhound, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    parked = Question("somewhere.example", 1, answers=("12345.parkingcrew.net", "192.0.2.8"))
    (logs / "dns.log").write_bytes(
        log("zeek-tsv", [parked, *(Question("www.example.org", 2 + at) for at in range(49))])
    )
    found = json.loads(trailhound("rules", "measure", logs, "--json").out)
    assert (found["files"], found["records"]) == (1, 50)
    assert {name: one["per_100000_records"] for name, one in found["heuristics"].items() if one["events"]} == {
        "parked": 2000
    }
    assert "somewhere.example" in found["heuristics"]["parked"]["example"]
    assert "2000.0" in trailhound("rules", "measure", logs).out
    trailhound("rules", "disable", "parked")
    assert "parked" not in json.loads(trailhound("rules", "measure", logs, "--json").out)["heuristics"]


def test_the_page_of_heuristics_is_what_they_say_of_themselves(trailhound: Trailhound, tmp_path: Path) -> None:
    copy = tmp_path / "heuristics.md"
    shutil.copyfile(PAGE, copy)
    assert trailhound("rules", "docs", "--into", copy).status == 0
    assert copy.read_text("utf-8") == PAGE.read_text("utf-8"), "run `trailhound rules docs --into docs/heuristics.md`"
    assert trailhound("rules", "docs", "--into", tmp_path / "gone.md").status == 2


PLUG_IN = """
from matchers.findings import Found, Technique, Thresholds
from matchers.heuristics.heuristic import Heuristic
from trailhound.severity import Severity


class Watcher:
    def __init__(self, thresholds, surroundings):
        pass

    def see(self, view):
        for row, name in enumerate(view.column("query") or ()):
            if view.text("query", name) == "canary.example":
                yield row, Found("asked for the canary", 90, Severity.HIGH)

    def held(self):
        return 0


CANARY = Heuristic(
    name="canary", title="canary", about="Somebody asks for the canary.", technique=None, thresholds=Thresholds,
    reads={"dns": ("query",)}, start=Watcher, false_positives=("Curious people",), silence="Mute `canary`.",
)
"""


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install a package as pip does: a module, and metadata that name an entry point."""
    site = tmp_path / "site"
    metadata = site / "canary-1.dist-info"
    metadata.mkdir(parents=True)
    (site / "canary_rule.py").write_text(PLUG_IN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: canary\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[{heuristics.GROUP}]\ncanary = canary_rule:CANARY\n")
    monkeypatch.syspath_prepend(site)
    heuristics.registry.cache_clear()
    yield metadata
    heuristics.registry.cache_clear()


def test_a_plug_in_is_a_heuristic_as_all_others(trailhound: Trailhound, plug_in: Path, tmp_path: Path) -> None:
    assert plug_in.exists()
    assert on(trailhound)["canary"] == (True, "")
    (tmp_path / "dns.log").write_bytes(log("zeek-tsv", [Question("canary.example")]))
    ran = trailhound("scan", tmp_path / "dns.log", "--json")
    assert [threat["example"] for threat in json.loads(ran.out)["threats"]] == ["10.0.0.7 asked for the canary: canary"]
    trailhound("rules", "disable", "canary")
    assert trailhound("scan", tmp_path / "dns.log", "--json").status == 0


def test_switches_of_a_plug_in_that_is_gone_are_no_harm(trailhound: Trailhound, plug_in: Path) -> None:
    trailhound("rules", "disable", "canary")
    (plug_in / "entry_points.txt").unlink()
    heuristics.registry.cache_clear()
    assert "canary" not in on(trailhound)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("canary_rule:NOTHING", "canary cannot be loaded"),
        ("canary_rule:PLUG", "canary cannot be loaded"),
        ("canary_rule:Watcher", "canary is no Heuristic"),
    ],
)
def test_a_plug_in_that_is_none_is_named(trailhound: Trailhound, plug_in: Path, value: str, said: str) -> None:
    assert EntryPoint("canary", value, heuristics.GROUP).group == heuristics.GROUP
    (plug_in / "entry_points.txt").write_text(f"[{heuristics.GROUP}]\ncanary = {value}\n")
    ran = trailhound("rules", "list")
    assert ran.status == 2
    assert said in ran.err
