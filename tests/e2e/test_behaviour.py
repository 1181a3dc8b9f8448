"""Behaviour, as `run` and `scan` find it: beside the loop, once, and whatever dies meanwhile."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.e2e.installation import Installation, Process, eventually
from tests.ingest.living import append

Start = Callable[..., Process]
ROOT = Path(__file__).parents[2]
START = 1_700_000_000
HEADER = (
    b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
    b"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_bytes\tresp_bytes\t"
    b"conn_state\n"
    b"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tinterval\tcount\tcount\tstring\n"
)
EVERY = "[behaviour]\nevery_minutes = 0.02\n[heuristics.thresholds.beacon]\nscore = 70\n"


def calls(count: int, first: int = 0, server: str = "93.184.216.34") -> bytes:
    """Give connections to one server, one every five minutes."""
    return b"".join(
        f"{START + 300 * number}.000000\tC{number:08d}\t10.0.0.5\t{40_000 + number}\t{server}\t443\ttcp\t0.2\t312\t"
        f"148\tSF\n".encode()
        for number in range(first, first + count)
    )


def beacons(process: Process) -> list[tuple[str, int]]:
    return [
        (event["destination"]["ip"], event["trailhound"]["count"])
        for event in process.events()
        if event.get("rule", {}).get("name") == "beacon"
    ]


def scraped(process: Process) -> str:
    with urllib.request.urlopen(f"{process.url}/metrics", timeout=60) as answer:
        return str(answer.read(), "utf-8")


def configured(installation: Installation, more: str = "") -> list[object]:
    path = installation.root / "trailhound.toml"
    path.write_text(EVERY + more, "utf-8")
    return [*installation.run, "--config", path]


def test_a_beacon_is_found_beside_the_loop_and_stays_one_event_when_all_is_killed(
    installation: Installation, start: Start
) -> None:
    arguments = configured(installation)
    path = installation.logs / "conn.log"
    append(path, HEADER + calls(40))
    process = start(*arguments)
    eventually(lambda: beacons(process) == [("93.184.216.34", 40)])
    # What looks is a process of its own: pandas would take half of what matching may.
    assert "pandas" not in Path(f"/proc/{process.popen.pid}/maps").read_text("utf-8")
    eventually(lambda: "trailhound_behaviour_records 40.0" in scraped(process))
    process.end(signal.SIGKILL)
    append(path, calls(10, first=40))
    again = start(*arguments)
    # What was read again after the crash counts once.
    eventually(lambda: "trailhound_behaviour_records 50.0" in scraped(again))
    assert beacons(again) == [("93.184.216.34", 40)]
    append(path, calls(40, server="93.184.216.99"))
    eventually(lambda: len(beacons(again)) == 2)
    assert again.end() == 0


def test_a_muted_beacon_is_none(installation: Installation, start: Start) -> None:
    arguments = configured(installation, '[[heuristics.mute]]\nrule = "beacon"\ndestination = "93.184.216.34"\n')
    append(installation.logs / "conn.log", HEADER + calls(40) + calls(40, server="93.184.216.99"))
    process = start(*arguments)
    eventually(lambda: beacons(process))
    assert beacons(process) == [("93.184.216.99", 40)]


def test_a_scan_looks_for_behaviour_when_all_is_read(installation: Installation) -> None:
    for day, server in enumerate(("93.184.216.34", "93.184.216.99")):
        (installation.logs / str(day)).mkdir()
        (installation.logs / str(day) / "conn.log").write_bytes(HEADER + calls(100, server=server))
    command = [sys.executable, "-m", "trailhound", "scan", installation.logs, "--state", installation.state, "--json"]
    scan = subprocess.run(
        [*map(str, command), "--trails", str(installation.trails)],
        check=False,
        capture_output=True,
        env={"PYTHONPATH": str(ROOT), "HOME": str(installation.root)},
    )
    assert scan.returncode == 1, scan.stderr
    threats = json.loads(scan.stdout)["threats"]
    assert [(threat["trail"], threat["count"]) for threat in threats] == [("beacon", 200)]
