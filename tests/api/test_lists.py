from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.app import create_app
from api.networks import Networks
from matchers import exceptions
from matchers.exceptions import Exemption, Level
from stores.contract import Store
from tests.api.client import AppClient, refused
from tests.api.conftest import NOW
from tests.api.trails import DictLookup
from tests.stores.factory import HOUR, make_attack, make_trail
from trailhound.event import Event
from trailhound.matching import Trails as TrailSettings
from trailhound.record import MICROSECONDS
from trailhound.settings import Api, Settings
from trailhound.settings import Networks as NetworkSettings
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailClass, TrailKind


def attack(source: str, **changes: object) -> Event:
    return make_attack(source_ip=source, start=NOW - HOUR, **changes)


def of_class(source: str, class_: TrailClass) -> Event:
    kind = TrailKind.IPV6 if ":" in source else TrailKind.IPV4
    return attack(source, trail=make_trail(kind=kind, value=source, class_=class_))


def test_attackers_stand_on_the_list_strongest_first(client: AppClient, filled: Store) -> None:
    answer = client.get("/fail2ban")
    assert answer.text == "80.94.92.10\n45.155.205.233\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-list-count"] == "2"


def test_an_empty_list_is_an_empty_answer(client: AppClient) -> None:
    answer = client.get("/fail2ban")
    assert (answer.status_code, answer.content, answer.headers["x-list-count"]) == (200, b"", "0")


@pytest.mark.parametrize("source", ["192.168.1.10", "10.0.0.1", "127.0.0.1", "100.64.0.1", "169.254.1.1", "0.0.0.0"])
def test_an_address_that_is_not_public_is_never_listed(client: AppClient, store: Store, source: str) -> None:
    store.append([attack(source, severity=Severity.CRITICAL)])
    assert client.get("/fail2ban", {"family": "any"}).content == b""


def test_a_public_home_network_is_never_listed(tmp_path: Path, store: Store, trails: DictLookup) -> None:
    networks = NetworkSettings(home=("45.155.205.0/24", "2a00:1450::/32"))
    client = AppClient(create_app(Settings(state_dir=tmp_path, networks=networks), store, trails, clock=lambda: NOW))
    store.append([attack(one) for one in ("45.155.205.233", "2a00:1450::1", "80.94.92.10", "2a00:1451::1")])
    assert set(client.get("/fail2ban", {"family": "any"}).text.split()) == {"80.94.92.10", "2a00:1451::1"}


def test_an_inner_host_that_calls_out_is_never_listed(client: AppClient, store: Store) -> None:
    store.append(
        [
            attack("203.113.0.9", direction=Direction.OUTBOUND),
            attack("203.113.0.10", direction=Direction.INTERNAL),
            attack("203.113.0.11", direction=Direction.EXTERNAL),
        ]
    )
    assert client.get("/fail2ban").content == b""


def test_only_classes_that_accuse_the_source_are_listed(client: AppClient, store: Store) -> None:
    addresses = {class_: f"45.155.205.{number}" for number, class_ in enumerate(TrailClass, start=1)}
    store.append([of_class(address, class_) for class_, address in addresses.items()])
    listed = {"attacker", "scanner", "spam", "exploit", "heuristic"}
    assert set(client.get("/fail2ban").text.split()) == {
        address for class_, address in addresses.items() if class_.value in listed
    }


def never_block(settings: Settings, source: str, until: datetime | None = None) -> Exemption:
    added = datetime.fromtimestamp(NOW / MICROSECONDS, UTC)
    wanted = Exemption(1, "a partner", "me", added, source=source, level=Level.NEVER_BLOCK, until=until)
    return exceptions.add(exceptions.path_in(settings.state_dir), wanted)


@pytest.mark.parametrize("source", ["45.155.205.233", "45.155.205.0/24", "::ffff:45.155.205.233"])
def test_a_source_that_must_never_be_blocked_is_left_out_until_its_entry_is_removed(
    client: AppClient, filled: Store, settings: Settings, source: str
) -> None:
    before = client.get("/fail2ban")
    assert "45.155.205.233" in before.text
    entry = never_block(settings, source)
    after = client.get("/fail2ban", headers={"If-None-Match": before.headers["etag"]})
    assert (after.status_code, after.text) == (200, "80.94.92.10\n")
    exceptions.remove(exceptions.path_in(settings.state_dir), entry.id)
    assert client.get("/fail2ban").content == before.content


def test_an_expired_entry_leaves_the_list_as_it_is(client: AppClient, filled: Store, settings: Settings) -> None:
    before = client.get("/fail2ban").content
    now = datetime.fromtimestamp(NOW / MICROSECONDS, UTC)
    never_block(settings, "45.155.205.233", until=now)
    assert client.get("/fail2ban").content == before
    never_block(settings, "45.155.205.233", until=now + timedelta(seconds=1))
    assert client.get("/fail2ban").text == "80.94.92.10\n"


@pytest.mark.parametrize("value", ["45.155.205.233", "45.155.205.0/24"])
def test_an_address_that_became_an_exception_is_left_out_for_what_it_did_before(
    client: AppClient, filled: Store, settings: Settings, value: str
) -> None:
    now = datetime.fromtimestamp(NOW / MICROSECONDS, UTC)
    exceptions.add(exceptions.path_in(settings.state_dir), Exemption(1, "ours", "me", now, value=value))
    assert client.get("/fail2ban").text == "80.94.92.10\n"


def test_an_address_on_a_whitelist_is_left_out(tmp_path: Path, filled: Store, trails: DictLookup) -> None:
    listed = tmp_path / "whitelist.txt"
    listed.write_text("45.155.205.0/24  # a partner\n", "utf-8")
    settings = Settings(state_dir=tmp_path, trails=TrailSettings(whitelist=(listed,)))
    client = AppClient(create_app(settings, filled, trails, clock=lambda: NOW))
    assert client.get("/fail2ban").text == "80.94.92.10\n"
    listed.write_text("80.94.92.10\n", "utf-8")
    assert client.get("/fail2ban").text == "45.155.205.233\n"
    listed.write_text("no network, no name\n", "utf-8")
    assert client.get("/fail2ban").text == "45.155.205.233\n"


def test_a_damaged_file_of_exceptions_blocks_nobody_who_was_excepted(
    client: AppClient, filled: Store, settings: Settings
) -> None:
    never_block(settings, "45.155.205.233")
    path = exceptions.path_in(settings.state_dir)
    assert client.get("/fail2ban").text == "80.94.92.10\n"
    path.write_text("{", "utf-8")
    filled.append([attack("45.155.205.1")])
    assert "45.155.205.233" not in client.get("/fail2ban").text.split()
    assert "45.155.205.1" in client.get("/fail2ban").text.split()


def test_no_list_is_given_while_nobody_knows_whom_it_must_not_block(
    client: AppClient, filled: Store, settings: Settings
) -> None:
    path = exceptions.path_in(settings.state_dir)
    path.write_text("{", "utf-8")
    answer = client.get("/fail2ban")
    assert answer.status_code >= 500
    assert str(path) not in answer.text
    path.unlink()
    assert client.get("/fail2ban").text == "80.94.92.10\n45.155.205.233\n"


def test_families_are_told_apart(client: AppClient, store: Store) -> None:
    store.append([attack("45.155.205.233"), of_class("2a00:1450::1", TrailClass.SCANNER)])
    assert client.get("/fail2ban").text == "45.155.205.233\n"
    assert client.get("/fail2ban", {"family": "6"}).text == "2a00:1450::1\n"
    assert len(client.get("/fail2ban", {"family": "any"}).text.split()) == 2


def test_an_old_attack_is_forgiven(client: AppClient, store: Store) -> None:
    store.append(
        [make_attack(start=NOW - 24 * HOUR - 1_000_000), make_attack(source_ip="80.94.92.10", start=NOW - 24 * HOUR)]
    )
    assert client.get("/fail2ban").text == "80.94.92.10\n"


def test_the_limit_is_filled_by_what_may_be_listed(tmp_path: Path, store: Store, trails: DictLookup) -> None:
    settings = Settings(state_dir=tmp_path, api=Api(list_limit=2))
    client = AppClient(create_app(settings, store, trails, clock=lambda: NOW))
    store.append([attack(f"2a00:1450::{n:x}", severity=Severity.HIGH) for n in range(1, 20)])
    store.append([attack(f"45.155.205.{n}") for n in range(1, 6)])
    assert len(client.get("/fail2ban").text.split()) == 2


def test_the_list_is_sent_again_only_when_it_changed(client: AppClient, filled: Store) -> None:
    first = client.get("/fail2ban")
    tag = first.headers["etag"]
    for condition in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = client.get("/fail2ban", headers={"If-None-Match": condition})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get("/fail2ban", {"family": "6"}, {"If-None-Match": tag}).status_code == 200
    filled.append([attack("45.155.205.1")])
    changed = client.get("/fail2ban", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.77", "::ffff:192.0.2.77"])
def test_a_client_of_the_settings_is_answered(client: AppClient, filled: Store, address: str) -> None:
    assert client.anonymous.at(address).get("/fail2ban").status_code == 200


@pytest.mark.parametrize(
    "address", ["198.51.100.7", "2001:db8::1", "::ffff:198.51.100.7", "::127.0.0.1", "fe80::1%eth0", "unix", ""]
)
@pytest.mark.parametrize("query", ["", "?family=any", "?family=bogus", "?unknown=1", "?family=4&family=6"])
def test_a_foreign_client_cannot_tell_that_there_is_a_list(
    client: AppClient, filled: Store, address: str, query: str
) -> None:
    foreign = client.anonymous.at(address)
    for method in ("GET", "HEAD", "POST", "OPTIONS"):
        answer, nothing = (foreign.request(method, f"/{page}{query}") for page in ("fail2ban", "fail2bam"))
        assert answer.status_code == nothing.status_code == {"POST": 401, "OPTIONS": 405}.get(method, 404)
        assert answer.content == nothing.content
        assert answer.headers == nothing.headers
    refused(foreign.get("/fail2ban/"), 404)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "CF-Connecting-IP"])
def test_a_forwarded_address_is_not_believed(client: AppClient, filled: Store, header: str) -> None:
    refused(client.anonymous.at("198.51.100.7").get("/fail2ban", headers={header: "127.0.0.1"}), 404)
    assert client.get("/fail2ban", headers={header: "198.51.100.7"}).status_code == 200


def test_a_known_client_is_told_of_its_mistakes(client: AppClient) -> None:
    refused(client.get("/fail2ban", {"family": "5"}), 422)
    refused(client.get("/fail2ban", {"famly": "6"}), 422)


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        *(("10.0.0.0", True), ("10.255.255.255", True), ("11.0.0.0", False), ("9.255.255.255", False)),
        *(("192.0.2.1", True), ("192.0.2.2", False), ("fd00::1", True), ("fe00::1", False), ("::", False)),
    ],
)
def test_networks_hold_their_addresses(address: str, inside: bool) -> None:  # noqa: FBT001
    networks = Networks(["10.0.0.0/9", "10.128.0.0/9", "::ffff:192.0.2.1/128", "fc00::/7"])
    assert networks.holds(address) is inside


def test_no_networks_hold_nothing() -> None:
    assert not Networks([]).holds("127.0.0.1")
