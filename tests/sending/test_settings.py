from typing import Any

import pytest

from trailhound.errors import SettingsError
from trailhound.sending import Send
from trailhound.settings import Settings, load

HOOK = {"url": "https://soc.example/"}


@pytest.mark.parametrize(
    ("send", "said"),
    [
        ({"webhooks": {"a": {}}}, "url or url_secret was expected"),
        ({"webhooks": {"a": {**HOOK, "url_secret": "X"}}}, "url or url_secret was expected"),
        ({"webhooks": {"a": {"url": "ftp://soc.example/"}}}, "an address such as https://soc.example/hook"),
        ({"webhooks": {"a": {"url": "https://u:p@soc.example/"}}}, "without user and password"),
        ({"webhooks": {"a": {"url": "http://soc.example/", "token": "X"}}}, "https was expected in url"),
        ({"webhooks": {"a b": HOOK}}, "match pattern"),
        ({"webhooks": {"a": HOOK}, "syslog": {"a": {"host": "siem.example"}}}, "a stands twice"),
        ({"syslog": {"a": {"host": "siem example"}}}, "no name or address of a host"),
        ({"syslog": {"a": {"host": "siem", "client_cert": "x.pem"}}}, "belong together"),
        ({"syslog": {"a": {"host": "siem", "client_cert": "x", "client_key": "x"}}}, 'is for transport = "tls"'),
        ({"misp": {"a": {"url": "http://misp.example"}}}, "https was expected in url"),
        ({"stix": {"a": {"url": "https://t.example/", "user": "u"}}}, "token, or user and password"),
        ({"reachable": ["here"]}, "is not an address or network"),
        ({"webhooks": {"a": {**HOOK, "networks": ["10.0.0.0/99"]}}}, "is not an address or network"),
        ({"webhooks": {"a": {**HOOK, "colour": "red"}}}, "no setting of Trailhound"),
    ],
)
def test_settings_that_cannot_be_are_refused(send: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(None, {"send": send})


def test_targets_are_those_that_are_not_off() -> None:
    send = Send.model_validate(
        {
            "webhooks": {"a": HOOK, "off": {**HOOK, "enabled": False}},
            "syslog": {"b": {"host": "10.0.0.7", "transport": "udp"}},
            "misp": {"c": {"url": "https://misp.example"}},
            "stix": {"d": {"url": "https://taxii.example/objects/"}},
        }
    )
    assert list(send.targets) == ["a", "b", "c", "d"]
    assert send.is_wanted


def test_nothing_is_sent_unless_the_settings_say_so() -> None:
    assert not Settings().send.is_wanted


def test_a_secret_may_go_to_this_host_in_the_clear() -> None:
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert Send.model_validate({"webhooks": {"a": {"url": f"http://{host}:1/", "token": "X"}}}).targets
