"""Settings that say what counts besides trails, and what never does: in `scan`, in `run`, and when things change."""

import json
import shutil
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ingest.pipeline import Pipeline
from matchers.engine import Engine
from matchers.exceptions import Exemption, add, path_in, utc_now
from tests.commands.conftest import Trailhound
from tests.ingest.place import PATIENCE, counts, eventually
from tests.matchers.build import matched
from trailhound.commands import prepare
from trailhound.commands.reload import Reload
from trailhound.settings import load

SAMPLES = Path(__file__).parents[1] / "fixtures" / "detections"
DNS = (
    b"#separator \\x09\n#path\tdns\n#fields\tts\tid.orig_h\tid.resp_h\ttrans_id\tquery\n"
    b"#types\ttime\taddr\taddr\tcount\tstring\n"
    b"1700000000.0\t10.0.0.5\t10.0.0.1\t1\twww.evil.lan\n"
    b"1700000001.0\t10.0.0.5\t10.0.0.1\t2\tevil.corp.example\n"
    b"1700000002.0\t10.0.0.5\t10.0.0.1\t3\tevil.example\n"
)
OWN = 'local_suffixes = ["*.Corp.Example."]'


@dataclass(frozen=True)
class Site:
    """A settings file, and the logs that it names."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "trailhound.toml"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def logs(self) -> Path:
        return self.root / "watched"

    def write(self, *, logs: str = "", trails: str = "") -> None:
        self.config.write_text(
            f'state_dir = "{self.state}"\n[logs]\npoll_seconds = 0.1\n{logs}\n'
            f'[[logs.folders]]\npath = "{self.logs}"\n'
            f'[trails]\nstarter = false\nfiles = ["{self.root / "trails.txt"}"]\n{trails}\n'
        )

    def stores(self, expected: dict[str, int]) -> None:
        """Read all logs as `run` does, until the store has the true counts that are expected and nothing else."""
        settings = load(self.config)
        prepare.state_directory(settings)
        engine = prepare.engine(settings, prepare.trail_set(settings))
        with closing(prepare.store(settings)) as store:
            pipeline = Pipeline(settings, engine, store)
            thread = threading.Thread(target=pipeline.run)
            thread.start()
            try:
                eventually(lambda: counts(store) == expected)
            finally:
                pipeline.stop()
                thread.join(PATIENCE)
            assert counts(store) == expected


@pytest.fixture
def site(tmp_path: Path) -> Site:
    place = Site(tmp_path)
    place.logs.mkdir()
    (tmp_path / "trails.txt").write_text("evil.lan\nevil.corp.example\nevil.example\n")
    (place.logs / "dns.log").write_bytes(DNS)
    place.write()
    return place


def scanned(trailhound: Trailhound, site: Site) -> dict[str, int]:
    ran = trailhound("scan", site.logs, "--config", site.config, "--json")
    report: dict[str, Any] = json.loads(ran.out)
    assert report["unreadable"] == 0
    return {threat["trail"]: threat["count"] for threat in report["threats"]}


def test_logs_are_taken_in_only_when_the_settings_say_so(trailhound: Trailhound, site: Site) -> None:
    for file in ("notice.log", "intel.log", "eve.json"):
        shutil.copy(SAMPLES / file, site.logs)
    site.write(trails="local_suffixes = []")
    asked = {"evil.lan": 1, "evil.corp.example": 1, "evil.example": 3}  # Two alerts carry that name.
    assert scanned(trailhound, site) == asked
    site.write(logs='take_in = ["zeek-notice"]', trails="local_suffixes = []")
    notices = {
        "SSL::Invalid_Server_Cert": 2,
        "Scan::Address_Scan": 1,
        "CaptureLoss::Too_Much_Loss": 1,
        "HTTP::SQL_Injection_Attacker": 1,
    }
    assert scanned(trailhound, site) == {**asked, **notices}
    site.write(logs='take_in = ["zeek-notice", "zeek-intel", "suricata-alert"]')
    found = scanned(trailhound, site)
    # An indicator that intel.log has is the same threat as the trail of the same value.
    assert found["evil.example"] == 4
    assert found["LOCAL TLS to evil.example"] == 2
    assert sum(found.values()) == 2 + 2 + 5 + 14 + 5


def test_what_is_taken_in_is_stored_as_it_is_scanned(trailhound: Trailhound, site: Site) -> None:
    for file in ("notice.log", "intel.log", "eve.json"):
        shutil.copy(SAMPLES / file, site.logs)
    site.write(logs='take_in = ["zeek-notice", "zeek-intel", "suricata-alert"]')
    found = scanned(trailhound, site)
    assert len(found) > 20
    site.stores(found)


def test_an_exception_that_is_made_while_running_hides_a_rule(site: Site) -> None:
    site.write(logs='take_in = ["zeek-notice"]')
    settings = load(site.config)
    prepare.state_directory(settings)
    taken: list[Engine] = []
    reload = Reload(settings, prepare.engine(settings, prepare.trail_set(settings)), taken.append, compiles=True)
    wanted = Exemption(1, "known", "me", utc_now(), trail="SSL::Invalid_Server_Cert", source="10.0.0.5")
    add(path_in(site.state), wanted)
    assert reload.check()
    shutil.copy(SAMPLES / "notice.log", site.logs)
    site.stores(
        {
            "evil.corp.example": 1,
            "evil.example": 1,
            "Scan::Address_Scan": 1,
            "CaptureLoss::Too_Much_Loss": 1,
            "HTTP::SQL_Injection_Attacker": 1,
        }
    )
    format_, data = "zeek-tsv", (SAMPLES / "notice.log").read_bytes()
    assert len(matched(taken[0], format_, data, "notice").events) == 3


def test_names_under_local_suffixes_are_passed_over_in_archives_and_live(trailhound: Trailhound, site: Site) -> None:
    by_default = {"evil.corp.example": 1, "evil.example": 1}
    assert scanned(trailhound, site) == by_default
    site.stores(by_default)
    site.write(trails=OWN)
    assert scanned(trailhound, site) == {"evil.lan": 1, "evil.example": 1}


def test_local_suffixes_stay_in_force_when_trails_are_taken_up_anew(site: Site) -> None:
    settings = load(site.config)
    prepare.state_directory(settings)
    taken: list[Engine] = []
    reload = Reload(settings, prepare.engine(settings, prepare.trail_set(settings)), taken.append, compiles=True)
    (site.root / "trails.txt").write_text("evil.lan\nevil.home\nevil.example\n")
    assert reload.check()
    found = {name: prepare.Lookup(taken[0].rules).explain([name])[0].found for name in ("evil.home", "evil.example")}
    assert found == {"evil.home": False, "evil.example": True}


def test_the_whitelist_explains_local_suffixes_and_shows_them(trailhound: Trailhound, site: Site) -> None:
    ran = trailhound("whitelist", "explain", "www.evil.lan", "--config", site.config)
    assert ran.status == 1
    assert (
        "lan is whitelisted, which hides all trails for it and below it (the setting trails.local_suffixes)" in ran.out
    )
    assert trailhound("whitelist", "explain", "x.corp.example", "--config", site.config).status == 0
    site.write(trails=OWN)
    ran = trailhound("whitelist", "explain", "x.corp.example", "--config", site.config)
    assert ran.status == 1
    assert "corp.example is whitelisted" in ran.out
    assert "a local suffix of this site" in ran.out
    assert trailhound("whitelist", "explain", "www.evil.lan", "--config", site.config).status == 0
    lines = trailhound("whitelist", "list", "--json", "--builtin", "--config", site.config).out.splitlines()
    assert "corp.example" in [json.loads(line)["value"] for line in lines]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[logs]\ntake_in = ["zeek-weird"]', "logs.take_in.0 = 'zeek-weird': should be 'zeek-notice', 'zeek-intel' or"),
        ('[trails]\nlocal_suffixes = ["not a name"]', "'not a name' is no domain such as corp.example.com"),
        ('[trails]\nlocal_suffixes = ["192.0.2.1"]', "'192.0.2.1' is no domain such as corp.example.com"),
        (
            '[trails]\nlocal_suffixes = ["lan", "co.uk"]',
            "trails.local_suffixes.1 = 'co.uk': 'co.uk' is a public suffix",
        ),
    ],
)
def test_a_mistake_is_told_in_one_sentence(trailhound: Trailhound, site: Site, text: str, sentence: str) -> None:
    site.config.write_text(text)
    ran = trailhound("scan", site.logs, "--config", site.config)
    assert ran.status == 2
    assert sentence in ran.err


def test_the_doctor_sees_that_a_log_to_be_taken_in_is_left_alone(trailhound: Trailhound, site: Site) -> None:
    site.write(logs='take_in = ["zeek-notice", "suricata-alert"]')
    assert "ok   logs taken in: zeek-notice, suricata-alert" in trailhound("doctor", "-c", site.config).out
    text = site.config.read_text()
    site.config.write_text(text.replace("[trails]", 'exclude = ["notice*"]\n[trails]'))
    out = trailhound("doctor", "-c", site.config).out
    assert "BAD  logs taken in: zeek-notice: no folder follows a file such as notice.log" in out
