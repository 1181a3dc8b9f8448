"""A real `trailhound run` that keeps its events in a real Elasticsearch."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.installation import PATIENCE, Installation, Process, eventually
from tests.ingest.living import append, header, name, rows

Start = Callable[..., Process]
NUMBER = 40


@pytest.fixture
def config(installation: Installation, elasticsearch_url: str, elasticsearch_namespace: str) -> Path:
    path = installation.root / "trailhound.toml"
    cluster = f'hosts = ["{elasticsearch_url}"]\nnamespace = "{elasticsearch_namespace}"\n'
    path.write_text(f"[store.elasticsearch]\n{cluster}", "utf-8")
    return path


def _said(process: Process) -> str:
    assert process.popen.wait(PATIENCE) == 0, process.said
    return process.said


@pytest.fixture
def kind(config: Path) -> Path:
    """Have the settings say that the store is Elasticsearch, for commands without an option for that."""
    config.write_text('[store]\nkind = "elasticsearch"\n' + config.read_text("utf-8"), "utf-8")
    return config


def test_a_run_fills_elasticsearch_and_its_api_reads_from_there(
    installation: Installation, start: Start, config: Path
) -> None:
    _said(start("es", "setup", "-c", config))
    assert "nothing to do" in _said(start("es", "setup", "-c", config))
    append(installation.log, header() + rows(range(NUMBER)))
    run = start(*installation.run, "-c", config, "--store", "elasticsearch")
    eventually(lambda: run.ask("/api/v1/summary")["totals"]["records"] == NUMBER)
    summary = run.ask("/api/v1/summary")
    assert summary["totals"]["threats"] == NUMBER
    assert summary["totals"]["approximate"] == []
    assert summary["by"]["sensor"] == {"dmz": NUMBER}
    append(installation.log, rows(range(NUMBER, NUMBER + 3)))
    eventually(lambda: set(run.trails()) == {name(number) for number in range(NUMBER + 3)})
    eventually(lambda: run.ask("/api/v1/sensors")["sensors"])
    assert run.health()["status"] == "ok"
    assert len(run.ask("/api/v1/threats?limit=10")["threats"]) == 10
    assert run.end() == 0
    assert "Traceback" not in run.said
    assert not (installation.state / "events.sqlite").exists()

    # Another console of the same namespace, with a state directory of its own.
    there = start(
        "serve", "-c", config, "--state", installation.root / "other", "--store", "elasticsearch", "--port", 0
    )
    assert there.ask("/api/v1/summary")["totals"]["records"] == NUMBER + 3
    assert there.end() == 0


def test_a_replay_after_a_kill_doubles_nothing(installation: Installation, start: Start, config: Path) -> None:
    _said(start("es", "setup", "-c", config))
    append(installation.log, header() + rows(range(NUMBER)))
    run = start(*installation.run, "-c", config, "--store", "elasticsearch")
    eventually(lambda: run.ask("/api/v1/summary")["totals"]["records"] == NUMBER)
    run.kill()
    for position in installation.state.glob("positions*"):
        position.unlink()
    run = start(*installation.run, "-c", config, "--store", "elasticsearch")
    append(installation.log, rows([NUMBER]))
    eventually(lambda: name(NUMBER) in run.trails())
    assert run.trails() == dict.fromkeys(map(name, range(NUMBER + 1)), 1)


def test_an_archive_is_scanned_into_elasticsearch(
    installation: Installation, start: Start, kind: Path, elasticsearch_namespace: str
) -> None:
    _said(start("es", "setup", "-c", kind))
    append(installation.log, header() + rows(range(NUMBER)))
    options = ("-c", kind, "--state", installation.state, "--trails", installation.trails, "--sensor", "dmz")
    for _ in range(2):
        scan = start("scan", "--store", "--jobs", 1, *options, installation.log)
        scan.popen.wait(PATIENCE)
        assert "Traceback" not in scan.said
    there = start("serve", "-c", kind, "--state", installation.state, "--port", 0)
    eventually(lambda: there.ask("/api/v1/summary")["totals"]["records"] == NUMBER)
    doctor = start("doctor", "--json", "-c", kind, "--state", installation.state)
    doctor.popen.wait(PATIENCE)
    (finding,) = [one for one in json.loads(doctor.said) if one["what"] == "store"]
    assert (finding["well"], finding["said"]) == (
        True,
        f"Elasticsearch, namespace {elasticsearch_namespace}: {NUMBER} events, {NUMBER} threats",
    )


def test_a_run_without_a_set_up_cluster_waits_and_says_what_to_do(
    installation: Installation, start: Start, config: Path
) -> None:
    append(installation.log, header() + rows(range(NUMBER)))
    run = start(*installation.run, "-c", config, "--store", "elasticsearch")
    eventually(lambda: "trailhound es setup" in str(run.health()["reasons"]))
    _said(start("es", "setup", "-c", config))
    eventually(lambda: run.ask("/api/v1/summary")["totals"]["records"] == NUMBER)
    assert run.end() == 0
