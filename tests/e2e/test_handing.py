"""Two real installations: a central that compiles trails, and a sensor that takes them and matches by them."""

import hashlib
from pathlib import Path

from tests.e2e.installation import Installation, eventually
from tests.ingest.living import header, name, row

KEY = "the-key-of-the-sensor"


def test_a_sensor_matches_by_the_trails_of_the_central_as_soon_as_they_change(tmp_path: Path) -> None:
    places = [tmp_path / "central", tmp_path / "sensor"]
    for place in places:
        place.mkdir()
    trails = tmp_path / "trails.csv"
    trails.write_text("".join(f"{name(number)},threat {number},test\n" for number in range(20)))
    central, sensor = (Installation(place, trails) for place in places)
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    (central.root / "trailhound.toml").write_text(
        f'[trails]\nstarter = false\n[[handing_on.keys]]\nname = "dmz"\nsha256 = "{digest}"\n'
    )
    secrets = sensor.state / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "CENTRAL_KEY").write_text(KEY)
    giving = central.start(*central.run, "--config", central.root / "trailhound.toml")
    try:
        (sensor.root / "trailhound.toml").write_text(f'[central]\nurl = "{giving.url}/trails"\nminutes = 0.05\n')
        arguments = ["run", sensor.logs, "--state", sensor.state, "--sensor", "dmz", "--port", 0]
        taking = sensor.start(*arguments, "--config", sensor.root / "trailhound.toml")
        try:
            assert "20 trails" in (taking.url and taking.said)
            sensor.log.write_bytes(header() + row(1, name(1)) + row(2, name(30)))
            eventually(lambda: taking.trails() == {name(1): 1})
            trails.write_text(trails.read_text() + f"{name(40)},threat 40,test\n")
            eventually(lambda: taking.ask("/api/v1/trails/info")["trails"] == 21)
            eventually(lambda: _is_met(sensor, taking.trails, name(40)))
        finally:
            assert taking.end() == 0
        giving.end()
        again = sensor.start(*arguments, "--config", sensor.root / "trailhound.toml")
        try:
            assert "21 trails" in (again.url and again.said), "without the central it goes on with what it has"
        finally:
            again.end()
    finally:
        giving.kill()


def _is_met(sensor: Installation, trails: object, wanted: str) -> bool:
    """Ask for the name once more, and tell whether it was met: reading takes a new set up between two batches."""
    with sensor.log.open("ab") as log:
        log.write(row(4, wanted))
    return callable(trails) and wanted in trails()
