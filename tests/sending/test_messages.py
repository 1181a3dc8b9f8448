import json
import re
from typing import Any

import pytest

from api.sending.messages import TEMPLATES, message
from tests.sending.documents import attack, document
from tests.stores.factory import make_trail
from trailhound.trail import TrailKind

EVIL = "<!channel> <@U1> <https://evil.example|click> & `code` [x](https://evil.example) *b* @here\n\r\x1b[2J\u202e"
LINK = "https://console.example/"


def written(template: str, event: Any, link: str = LINK) -> dict[str, Any]:
    found = json.loads(message(template, event, link))
    assert isinstance(found, dict)
    return found


def texts(found: Any) -> list[str]:
    match found:
        case dict():
            return [text for value in found.values() for text in texts(value)]
        case list():
            return [text for value in found for text in texts(value)]
        case str():
            return [found]
        case _:
            return []


def evil() -> Any:
    return document(observed=EVIL, sensor=EVIL, trail=make_trail(info=EVIL, value=EVIL, sources=(EVIL,)))


def test_slack_shows_what_was_met() -> None:
    found = written("slack", document())
    assert found["text"] == "`CRITICAL: emotet (malware)`"
    (attachment,) = found["attachments"]
    assert attachment["color"] == "#dc2626"
    assert attachment["blocks"][0]["text"]["text"] == "CRITICAL: emotet (malware)"
    fields = [field["text"] for field in attachment["blocks"][1]["fields"]]
    assert "*Source*\n`192.168.1.10:53124`" in fields
    assert "*Trail*\n`evil.example (c2)`" in fields
    assert attachment["blocks"][2]["elements"][0]["text"] == f"<{LINK}|Trailhound>"
    assert len(fields) <= 10


def test_nothing_of_an_event_is_markup_in_slack() -> None:
    found = written("slack", evil(), "")
    for block in [found, *found["attachments"][0]["blocks"]]:
        marked = [one["text"] for one in block.get("fields", ()) if one["type"] == "mrkdwn"]
        for text in [*marked, *([block["text"]] if isinstance(block.get("text"), str) else [])]:
            assert re.fullmatch(r"(\*[A-Z][a-z ]+\*\n)?`[^`\n<>\x1b\u202e]*`", text), text
    assert found["attachments"][0]["blocks"][0]["text"]["type"] == "plain_text"


def test_teams_gets_an_adaptive_card() -> None:
    found = written("teams", document())
    (attachment,) = found["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["body"][0]["text"] == r"CRITICAL\: emotet \(malware\)"
    assert {"title": "Sensor", "value": r"sensor\-1"} in card["body"][1]["facts"]
    assert card["actions"][0]["url"] == LINK
    assert "actions" not in written("teams", document(), "")["attachments"][0]["content"]


def test_nothing_of_an_event_is_markup_in_teams_and_thehive() -> None:
    card = written("teams", evil(), "")["attachments"][0]["content"]
    shown = [card["body"][0]["text"], *(fact["value"] for fact in card["body"][1]["facts"])]
    rows = written("thehive", evil(), "")["description"].splitlines()[2:]
    shown += [re.fullmatch(r"\| [A-Z][a-z ]+ \| (.*) \|", row)[1] for row in rows]  # type: ignore[index] # or it fails
    for text in shown:
        assert not re.search(r"(?<!\\)[<>\[\]*`@|]", text.replace("\\\\", "")), text


def test_thehive_gets_an_alert_with_observables() -> None:
    event = attack()
    found = written("thehive", event)
    assert (found["type"], found["source"], found["sourceRef"]) == ("trailhound", "Trailhound", event["event"]["id"])
    assert (found["severity"], found["tlp"], found["pap"]) == (1, 2, 2)
    assert found["date"] == 1_759_276_800_000
    assert found["externalLink"] == LINK
    assert found["tags"] == ["trailhound:class=attacker", "blocklist"]
    # Each value once: TheHive refuses an alert that has one twice.
    assert found["observables"] == [
        {"dataType": "ip", "data": "45.155.205.233"},
        {"dataType": "ip", "data": "192.168.1.20"},
    ]
    names = written("thehive", document())["observables"]
    assert {"dataType": "domain", "data": "evil.example"} in names
    assert {"dataType": "domain", "data": "www.evil.example"} in names


@pytest.mark.parametrize("template", list(TEMPLATES))
@pytest.mark.parametrize("kind", list(TrailKind))
def test_every_kind_of_event_can_be_written(template: str, kind: TrailKind) -> None:
    event = document(
        trail=make_trail(kind=kind, value="192.0.2.1:80" if kind is TrailKind.IP_PORT else "x" * 3000),
        source_ip=None,
        source_port=None,
        destination_ip=None,
        destination_port=None,
        transport=None,
        protocol=None,
        message="",
        observed="",
    )
    assert all(len(text) < 20_000 for text in texts(written(template, event)))


@pytest.mark.parametrize("template", list(TEMPLATES))
def test_what_holds_next_to_nothing_can_be_written(template: str) -> None:
    assert written(template, {})


def test_values_are_cut_where_people_read_them() -> None:
    found = written("slack", document(observed="x" * 5000))
    assert max(map(len, texts(found))) < 2000
