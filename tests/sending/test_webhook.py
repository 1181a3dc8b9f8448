import base64
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from standardwebhooks.webhooks import Webhook as Verifier

from api.sending import post as posting
from api.sending import reach
from api.sending.outcome import Later, Refused
from api.sending.post import Ways
from api.sending.targets.webhook import WebhookTarget
from tests.sending.conftest import PutSecret
from tests.sending.documents import document
from tests.sending.receivers import Hook, Posted, Reply, hooking
from trailhound.errors import SendError, SettingsError
from trailhound.sending import Webhook

EVENT = document()
ID = EVENT["event"]["id"]
TOKEN = "t0ken-of-the-hook-9"


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooking() as opened:
        yield opened


def send(hook: Hook, ways: Ways, event: Mapping[str, Any] = EVENT, **settings: Any) -> Posted:
    target = WebhookTarget(Webhook(**{"url": hook.url, **settings}), ways, "https://console.example/")
    try:
        target.send([event])
    finally:
        target.close()
    return hook.posts[-1]


def answering(hook: Hook, code: int, body: bytes = b"", **headers: str) -> None:
    reply: Reply = (code, {name.replace("_", "-"): value for name, value in headers.items()}, body)
    hook.answer = lambda _: reply


def test_a_webhook_gets_the_event(hook: Hook, ways: Ways) -> None:
    posted = send(hook, ways)
    assert json.loads(posted.body) == {
        "type": "trailhound.event",
        "event": EVENT,
        "link": "https://console.example/",
    }
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["webhook-id"] == ID
    assert "authorization" not in posted.headers
    assert "webhook-signature" not in posted.headers


@pytest.mark.parametrize("secret", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "words that nobody knows 1"])
def test_a_signature_is_one_of_standard_webhooks(hook: Hook, ways: Ways, put_secret: PutSecret, secret: str) -> None:
    put_secret("SIGNING", secret)
    posted = send(hook, ways, signing_secret="SIGNING")
    as_base64 = secret if secret.startswith("whsec_") else base64.b64encode(secret.encode()).decode()
    verifier = Verifier(as_base64)
    assert verifier.verify(posted.body, dict(posted.headers))["event"]["event"]["id"] == ID
    with pytest.raises(Exception, match="No matching signature found"):
        verifier.verify(posted.body + b" ", dict(posted.headers))
    with pytest.raises(Exception, match="No matching signature found"):
        verifier.verify(posted.body, {**posted.headers, "webhook-id": "other"})
    assert abs(time.time() - int(posted.headers["webhook-timestamp"])) < 60


def test_a_token_goes_as_a_bearer(hook: Hook, ways: Ways, put_secret: PutSecret) -> None:
    put_secret("TOKEN", TOKEN)
    assert send(hook, ways, token="TOKEN").headers["authorization"] == f"Bearer {TOKEN}"


def test_a_secret_that_is_missing_is_named(hook: Hook, ways: Ways) -> None:
    with pytest.raises(SettingsError, match="the secret TOKEN is missing"):
        send(hook, ways, token="TOKEN")


@pytest.mark.parametrize("code", [401, 403, 404, 408, 429, 500, 502, 503, 504])
def test_what_may_get_better_is_tried_again(hook: Hook, ways: Ways, code: int) -> None:
    answering(hook, code, b"sorry\x1b[31m")
    with pytest.raises(Later, match=rf"/hook: answers {code} .*: sorry\[31m"):
        send(hook, ways)


@pytest.mark.parametrize("code", [400, 409, 413, 415, 422])
def test_what_is_the_fault_of_a_message_is_told_apart(hook: Hook, ways: Ways, code: int) -> None:
    answering(hook, code)
    with pytest.raises(Refused, match=f"answers {code} "):
        send(hook, ways)


@pytest.mark.parametrize(("asked", "after"), [("120", 120.0), ("99999999", 3600.0), ("soon", 0.0), ("-5", 0.0)])
def test_a_target_may_ask_to_be_left_alone_but_not_for_ever(hook: Hook, ways: Ways, asked: str, after: float) -> None:
    answering(hook, 429, Retry_After=asked)
    with pytest.raises(Later) as caught:
        send(hook, ways)
    assert caught.value.after == after


def test_no_redirect_is_followed(hook: Hook, ways: Ways, put_secret: PutSecret) -> None:
    put_secret("TOKEN", TOKEN)
    with hooking() as other:
        for code in (301, 302, 303, 307, 308):
            answering(hook, code, Location=other.url)
            with pytest.raises(Later, match=f"answers {code}"):
                send(hook, ways, token="TOKEN")
        assert other.posts == []


def test_one_that_hangs_is_given_up_in_time(hook: Hook, ways: Ways) -> None:
    hook.answer = lambda _: (hook.over.wait(30) and (200, {}, b"")) or (200, {}, b"")
    started = time.monotonic()
    with pytest.raises(Later, match=r"does not answer within 0\.3 seconds"):
        send(hook, replace(ways, seconds=0.3))
    assert time.monotonic() - started < 3


def test_one_that_answers_a_byte_at_a_time_is_given_up_in_time(ways: Ways) -> None:
    def drip(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line:
            try:
                for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1000:
                    line.send(bytes([byte]))
                    time.sleep(0.05)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        target = WebhookTarget(
            Webhook(url=f"http://127.0.0.1:{listener.getsockname()[1]}/"), replace(ways, seconds=0.5)
        )
        started = time.monotonic()
        with pytest.raises(Later, match="does not answer within"):
            target.send([EVENT])
        target.close()
        assert time.monotonic() - started < 3
        thread.join()


def test_an_answer_without_end_is_not_read(hook: Hook, ways: Ways) -> None:
    answering(hook, 200, b"x" * 10_000_000)
    send(hook, ways)


def test_a_target_that_was_killed_is_reached_again_when_it_is_back(ways: Ways) -> None:
    with hooking() as first:
        target = WebhookTarget(Webhook(url=first.url), ways)
        target.send([EVENT])
        port = first.port
    with pytest.raises(Later, match=r"cannot be reached|was cut off"):
        target.send([EVENT])
    with pytest.raises(Later, match="cannot be reached: Connection refused"):
        target.send([EVENT])
    with hooking(port) as again:
        target.send([EVENT])
        assert len(again.posts) == 1
    target.close()


def test_secrets_stand_in_no_message_and_no_log(
    hook: Hook, ways: Ways, put_secret: PutSecret, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hidden = f"http://127.0.0.1:{hook.port}/services/T0000/B0000/XXsecretXX"
    put_secret("SLACK", hidden)
    put_secret("TOKEN", TOKEN)
    answering(hook, 500, f"no {TOKEN} at {hidden}".encode())
    with pytest.raises(Later) as caught:
        send(hook, ways, url="", url_secret="SLACK", token="TOKEN")
    assert hook.posts[-1].path == "/services/T0000/B0000/XXsecretXX"
    said = str(caught.value) + caplog.text
    assert "the address in SLACK: answers 500" in said
    assert "XXsecretXX" not in said
    assert TOKEN not in said


def test_tls_is_checked_against_the_authority_of_the_site(ways: Ways, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with hooking(tls=context) as hook:
        assert hook.url.startswith("https://")
        with pytest.raises(Later, match="its certificate is not trusted"):
            send(hook, ways)
        send(hook, replace(ways, ca_file=tmp_path / "ca.pem"))
        assert len(hook.posts) == 1
    with pytest.raises(SendError, match=r"none\.pem: the certificates cannot be read"):
        send(hook, replace(ways, ca_file=tmp_path / "none.pem"))


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "0xa9fea9fe",
        "2852039166",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",
        "[::]",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_metadata_services_and_the_like_are_not_reached(ways: Ways, host: str) -> None:
    with pytest.raises(SendError, match=r"nothing is sent there unless it stands in send\.reachable"):
        WebhookTarget(Webhook(url=f"http://{host}/latest/meta-data"), ways)


def test_the_site_can_allow_such_an_address(ways: Ways) -> None:
    allowed = replace(ways, reachable=reach.networks(["169.254.1.0/24"]))
    WebhookTarget(Webhook(url="http://169.254.1.1/"), allowed).close()
    with pytest.raises(SendError):
        WebhookTarget(Webhook(url="http://169.254.169.254/"), allowed)


def test_a_name_that_leads_to_such_an_address_is_not_followed(ways: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are resolved once, and the connection goes to what was checked."""
    asked: list[str] = []

    def resolve(host: str, *_args: object, **_more: object) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    target = WebhookTarget(Webhook(url="http://rebound.example/"), ways)
    with pytest.raises(Later, match=r"rebound.example is 169.254.169.254, which is link-local"):
        target.send([EVENT])
    target.close()
    assert asked == ["rebound.example"]


def test_a_connection_goes_to_the_address_that_was_checked(
    hook: Hook, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    answers = iter(["127.0.0.1", "169.254.169.254"])

    def resolve(host: str, port: int, *args: Any, **more: Any) -> Any:
        return real(next(answers) if host == "soc.example" else host, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    posted = send(hook, ways, url=f"http://soc.example:{hook.port}/hook")
    assert posted.headers["host"] == f"soc.example:{hook.port}"


def test_a_proxy_gets_what_goes_out(hook: Hook, ways: Ways) -> None:
    posted = send(hook, replace(ways, proxy=f"http://127.0.0.1:{hook.port}"), url="http://soc.example/hook")
    assert posted.path == "http://soc.example/hook"


def test_thehive_that_has_an_alert_already_is_content(hook: Hook, ways: Ways) -> None:
    answering(hook, 400, b'{"type":"CreateError","message":"Alert already exists"}')
    send(hook, ways, template="thehive")
    with pytest.raises(Refused):
        send(hook, ways, template="generic")
    answering(hook, 400, b'{"type":"BadRequest","message":"sourceRef is missing"}')
    with pytest.raises(Refused):
        send(hook, ways, template="thehive")


def test_a_key_that_is_no_base64_is_a_mistake(hook: Hook, ways: Ways, put_secret: PutSecret) -> None:
    put_secret("SIGNING", "whsec_???")
    with pytest.raises(SendError, match="the secret SIGNING: base64 was expected"):
        send(hook, ways, signing_secret="SIGNING")


def test_retry_after_may_be_a_date() -> None:
    assert posting._seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert 3000 < posting._seconds("Wed, 21 Oct 2115 07:28:00 GMT") <= 3600
