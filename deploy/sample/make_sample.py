"""Make the bundled sample: Zeek's logs by our own hand, Suricata's by a real Suricata that reads a made capture."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.sample import capture, people, scenario, zeek
from deploy.sample.sessions import Session

_HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=Path, help="folder that gets zeek/ and suricata/ (trailhound/sample)")
    parser.add_argument(
        "--fixture", type=Path, help="file that gets a minute of EVE (tests/fixtures/suricata/eve.json)"
    )
    arguments = parser.parse_args()
    if arguments.sample is None and arguments.fixture is None:
        parser.error("--sample or --fixture was expected")
    if arguments.sample is not None:
        for name in ("zeek", "suricata"):
            (arguments.sample / name).mkdir(parents=True, exist_ok=True)
        zeek.write(scenario.sessions(people.ZEEK_SITE), arguments.sample / "zeek", people.START)
        site = people.SURICATA_SITE
        make_eve(scenario.sessions(site), site.sensor, arguments.sample / "suricata" / "eve.json")
    if arguments.fixture is not None:
        site = people.FIXTURE_SITE
        beginning = [session for session in scenario.sessions(site) if session.at < people.FIXTURE_LENGTH]
        make_eve(beginning, site.sensor, arguments.fixture)


def make_eve(sessions: Sequence[Session], sensor: str, file: Path) -> None:
    """Write what Suricata says of a capture of these sessions."""
    with tempfile.TemporaryDirectory() as folder:
        capture_file = Path(folder, "sample.pcap")
        capture.write(sessions, capture_file, people.START)
        run_suricata(capture_file, Path(folder), sensor)
        shutil.copyfile(Path(folder, "eve.json"), file)


def run_suricata(capture_file: Path, folder: Path, sensor: str) -> None:
    """Let Suricata read a capture and write `eve.json` into a folder."""
    suricata = shutil.which("suricata")
    if suricata is None:
        sys.exit("make_sample: Suricata 7 is needed; deploy/suricata-for-tests installs it")
    command = [suricata, "-r", str(capture_file), "-l", str(folder), "-k", "none", "--runmode", "single"]
    command += ["-c", str(_HERE / "suricata.yaml"), "-S", str(_HERE / "sample.rules")]
    command += ["--set", f"classification-file={_HERE / 'classification.config'}"]
    command += ["--set", "stream.midstream=true", "--set", f"sensor-name={sensor}"]
    subprocess.run(command, check=True)  # noqa: S603 - a fixed program with paths of our own


if __name__ == "__main__":
    main()
