"""Sensors that take their trail set from a central Trailhound, over the real API of a real one."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.serve import serve
from feeds.line import Passing
from matchers.compile import Compiler
from matchers.trailset import TrailSet
from stores.embedded import open_embedded
from tests.api.trails import DictLookup
from tests.commands.conftest import Trailhound
from trailhound.commands.central import keep_pulling, pull_patiently
from trailhound.errors import FetchError
from trailhound.settings import Settings, load
from trailhound.trail import Trail, TrailClass, TrailKind


def put(path: Path, *names: str, custom: str = "") -> str:
    compiler = Compiler()
    for name in names:
        compiler.add(Trail(TrailKind.DOMAIN, name, "threat", TrailClass.C2, ("a list",)))
    if custom:
        compiler.add(Trail(TrailKind.DOMAIN, custom, "our case", TrailClass.C2, ("incidents",), custom=True))
    return compiler.write(path, built=1_767_600_000).checksum


@contextmanager
def central(settings: Settings) -> Iterator[str]:
    """Serve what the settings say until the end of the context; give the address of the trail set."""
    urls: list[str] = []
    ready, stop = threading.Event(), threading.Event()

    def tell(url: str) -> None:
        urls.append(url)
        ready.set()

    store = open_embedded(settings.store_path)
    thread = threading.Thread(
        target=serve, args=(settings, store, DictLookup([])), kwargs={"ready": tell, "stop": stop}
    )
    thread.start()
    try:
        assert ready.wait(30)
        yield f"{urls[0]}/trails"
    finally:
        stop.set()
        thread.join()
        store.close()


@pytest.fixture
def key(trailhound: Trailhound) -> dict[str, str]:
    found: dict[str, str] = json.loads(trailhound("trails", "key", "dmz", "--json").out)
    return found


@pytest.fixture
def url(tmp_path: Path, key: dict[str, str]) -> Iterator[str]:
    state = tmp_path / "central"
    state.mkdir()
    put(state / "trails.set", *(f"evil{number}.example" for number in range(10)))
    entry = {name: key[name] for name in ("name", "sha256", "custom")}
    with central(
        load(
            None,
            {
                "state_dir": state,
                "trails": {"set": state / "trails.set"},
                "api": {"port": 0},
                "handing_on": {"keys": [entry]},
            },
        )
    ) as served:
        yield served


@pytest.fixture
def config(tmp_path: Path, url: str, key: dict[str, str]) -> Path:
    secrets = tmp_path / "state" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "CENTRAL_KEY").write_text(f"{key['key']}\n")
    config = tmp_path / "trailhound.toml"
    config.write_text(f'state_dir = "{tmp_path / "state"}"\n[central]\nurl = "{url}"\nminutes = 0.05\n')
    return config


def test_a_key_is_shown_once_with_the_lines_for_the_settings(trailhound: Trailhound, tmp_path: Path) -> None:
    ran = trailhound("trails", "key", "--custom", 'the "dmz"')
    assert ran.status == 0
    made = re.search(r"^  (\S{40,})$", ran.out, re.MULTILINE)
    table = ran.out[ran.out.index("[[handing_on.keys]]") :]
    (tmp_path / "trailhound.toml").write_text(table)
    entry = load(tmp_path / "trailhound.toml").handing_on.keys[0]
    assert (entry.name, entry.custom) == ('the "dmz"', True)
    assert made is not None
    assert made[1] not in table


def test_a_set_is_taken_once_and_without_what_is_not_for_us(
    trailhound: Trailhound, config: Path, tmp_path: Path
) -> None:
    put(tmp_path / "central" / "trails.set", *(f"evil{n}.example" for n in range(10)), custom="secret.example")
    ran = trailhound("trails", "pull", "-c", config)
    assert (ran.status, ran.out) == (0, f"new: 10 trails in {tmp_path}/state/central.set\n"), ran.err
    assert trailhound("trails", "pull", "-c", config).out.startswith("nothing new: 10 trails")
    assert trailhound("trails", "check", "-c", config, "evil1.example").status == 1
    assert trailhound("trails", "check", "-c", config, "secret.example").status == 0


def test_a_changed_set_is_taken_and_a_worse_one_is_not(trailhound: Trailhound, config: Path, tmp_path: Path) -> None:
    trailhound("trails", "pull", "-c", config)
    put(tmp_path / "central" / "trails.set", *(f"new{number}.example" for number in range(9)))
    said = json.loads(trailhound("trails", "pull", "-c", config, "--json").out)
    assert (said["new"], said["trails"]) == (True, 9)
    put(tmp_path / "central" / "trails.set", "one.example")
    ran = trailhound("trails", "pull", "-c", config)
    assert (ran.status, "less than trails.min_ratio" in ran.err) == (2, True)
    assert len(TrailSet.open(tmp_path / "state" / "central.set")) == 9
    assert trailhound("trails", "pull", "-c", config, "--force").status == 0
    assert len(TrailSet.open(tmp_path / "state" / "central.set")) == 1


def test_a_set_that_holds_everybodys_names_is_not_taken_even_at_first(
    trailhound: Trailhound, config: Path, tmp_path: Path
) -> None:
    put(tmp_path / "central" / "trails.set", "google.com", "evil.example")
    ran = trailhound("trails", "pull", "-c", config)
    assert (ran.status, "holds google.com" in ran.err) == (2, True)
    assert not (tmp_path / "state" / "central.set").exists()


def test_a_set_that_is_none_is_not_taken(trailhound: Trailhound, config: Path, tmp_path: Path) -> None:
    trailhound("trails", "pull", "-c", config)
    whole = tmp_path / "central" / "trails.set"
    put(whole, *(f"other{number}.example" for number in range(10)))
    content = bytearray(whole.read_bytes())
    content[content.index(b"threat")] ^= 1
    whole.unlink()
    whole.write_bytes(content)  # Whoever serves it does not look inside; whoever takes it does.
    ran = trailhound("trails", "pull", "-c", config)
    assert (ran.status, "the trail set is damaged" in ran.err) == (2, True)
    assert trailhound("trails", "check", "-c", config, "evil1.example").status == 1


def test_without_a_set_of_before_it_is_said_how_to_get_one(trailhound: Trailhound, config: Path) -> None:
    ran = trailhound("trails", "check", "-c", config, "evil1.example")
    assert (ran.status, "get it with `trailhound trails pull`" in ran.err) == (2, True)


def test_a_missing_or_wrong_key_is_said_and_not_shown(
    trailhound: Trailhound, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CENTRAL_KEY", "a-wrong-key")
    ran = trailhound("trails", "pull", "-c", config)
    assert (ran.status, "it does not know our key" in ran.err) == (2, True)
    assert "a-wrong-key" not in ran.err + ran.out
    monkeypatch.delenv("CENTRAL_KEY")
    (tmp_path / "state" / "secrets" / "CENTRAL_KEY").unlink()
    assert "the secret CENTRAL_KEY is missing" in trailhound("trails", "pull", "-c", config).err


def test_without_a_central_there_is_nothing_to_pull(trailhound: Trailhound) -> None:
    ran = trailhound("trails", "pull")
    assert (ran.status, "central.url" in ran.err) == (2, True)


def test_a_central_that_is_away_leaves_the_set_of_before(tmp_path: Path, config: Path, trailhound: Trailhound) -> None:
    trailhound("trails", "pull", "-c", config)
    away = load(config, {"central": {"url": "http://127.0.0.1:9/trails"}})
    pauses: list[float] = []
    with pytest.raises(FetchError, match="cannot be fetched"):
        pull_patiently(away, pause=pauses.append)
    assert 200 < sum(pauses) <= 300
    assert len(TrailSet.open(tmp_path / "state" / "central.set")) == 10


def test_a_set_is_asked_for_again_and_again(tmp_path: Path, config: Path) -> None:
    stop = threading.Event()
    pulling = threading.Thread(target=keep_pulling, args=(load(config), stop))
    pulling.start()
    try:
        target = tmp_path / "state" / "central.set"
        _eventually(target.exists)
        checksum = put(tmp_path / "central" / "trails.set", *(f"new{number}.example" for number in range(10)))
        _eventually(lambda: TrailSet.open(target).about.checksum == checksum)
    finally:
        stop.set()
        pulling.join()


def _eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.05)


def test_a_refusal_that_passes_is_told_from_one_that_does_not(tmp_path: Path, config: Path) -> None:
    (tmp_path / "central" / "trails.set").unlink()
    with pytest.raises(Passing, match="no set to give yet"):
        pull_patiently(load(config), pause=lambda _: None)
