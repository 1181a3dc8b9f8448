import json
from pathlib import Path

import pytest

from api.sending.letters import Limits, New, Progress
from api.sending.outbox import Outbox
from tests.commands.conftest import Trailhound, trailhound
from tests.sending.documents import document
from tests.sending.receivers import hooking, receiving, until
from trailhound.commands.send import example

__all__ = ["trailhound"]
NOW = 1_760_000_000_000_000


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "trailhound.toml"
    path.write_text(f'state_dir = "{tmp_path}"\n')
    return path


def add(config: Path, text: str) -> None:
    with config.open("a") as stream:
        stream.write(text)


def test_test_sends_an_example_to_each_target(trailhound: Trailhound, config: Path) -> None:
    with hooking() as hook, receiving() as receiver:
        add(config, f'[send.webhooks.soc]\nurl = "{hook.url}"\ntemplate = "slack"\n')
        add(config, f'[send.syslog.siem]\nhost = "127.0.0.1"\nport = {receiver.port}\n')
        ran = trailhound("send", "test", "-c", config)
        assert (ran.status, ran.out) == (0, "soc: took it\nsiem: took it\n")
        assert "test of Trailhound" in hook.posts[0].body.decode()
        until(lambda: b"test of Trailhound" in receiver.data, "arrival")
        ran = trailhound("send", "test", "soc", "-c", config)
        assert ran.out == "soc: took it\n"
        assert len(hook.posts) == 2


def test_test_says_which_target_does_not_take_it(trailhound: Trailhound, config: Path) -> None:
    with hooking() as hook:
        hook.answer = lambda _: (500, {}, b"sorry")
        add(config, f'[send.webhooks.soc]\nurl = "{hook.url}"\n')
        add(config, '[send.misp.misp]\nurl = "https://misp.example"\n')
        ran = trailhound("send", "test", "-c", config)
    assert ran.status == 1
    assert f"soc: {hook.url}: answers 500 Internal Server Error: sorry\n" in ran.err
    assert "misp: the secret MISP_KEY is missing" in ran.err
    ran = trailhound("send", "test", "nobody", "-c", config)
    assert (ran.status, ran.err) == (2, "trailhound: 'nobody' is no target; there are soc, misp\n")


def test_without_targets_there_is_nothing_to_try(trailhound: Trailhound, config: Path) -> None:
    ran = trailhound("send", "test", "-c", config)
    assert ran.status == 2
    assert "there are no targets" in ran.err
    assert trailhound("send", "status", "-c", config).out.startswith("There are no targets")


def test_status_says_how_targets_do(trailhound: Trailhound, config: Path, outbox: Outbox) -> None:
    add(config, '[send.webhooks.soc]\nurl = "https://soc.example/"\n')
    assert trailhound("send", "status", "-c", config).out == "soc: 0 delivered, 0 waiting\n".replace(", ", "; ")
    outbox.name_targets(["soc"])
    new = [New("soc", str(number), "t", document()) for number in range(3)]
    outbox.take(Progress("", "", 0, 0), new, {"soc": Limits(2, 0)}, NOW)
    outbox.failed("soc", "is\x1b away", NOW, failures=1, resume=0)
    said = trailhound("send", "status", "-c", config).out
    assert said.startswith("soc: 0 delivered; 2 waiting; 1 dropped; problem at 2025-10-09T08:53:20.000000Z: is")
    assert "\x1b" not in said
    (found,) = json.loads(trailhound("send", "status", "--json", "-c", config).out)
    assert (found["name"], found["waiting"], found["problem"]) == ("soc", 2, "is\x1b away")


def test_retry_sends_dead_letters_once_more(trailhound: Trailhound, config: Path, outbox: Outbox) -> None:
    add(config, '[send.webhooks.soc]\nurl = "https://soc.example/"\n')
    outbox.name_targets(["soc"])
    outbox.take(Progress("", "", 0, 0), [New("soc", "a", "t", document())], {"soc": Limits(2, 0)}, NOW)
    outbox.give_up("soc", NOW + 1, "away", NOW)
    assert trailhound("send", "retry", "soc", "-c", config).out == "1 events wait for soc again\n"
    assert [letter.event for letter in outbox.due("soc", 2**62, 9)] == ["a"]
    assert trailhound("send", "retry", "nobody", "-c", config).status == 2


def test_the_example_says_what_it_is() -> None:
    event = example(NOW)
    assert event.tags == ("test",)
    assert event.trail.value.endswith(".invalid")
    assert event.id == example(NOW).id
