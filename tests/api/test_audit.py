import pytest

from api.access.people import Key
from api.access.principal import Scope
from stores.desk import Desk
from stores.desk.contract import AuditEntry
from tests.api.client import AppClient, refused
from tests.api.conftest import NOW
from trailhound.event import timestamp

PLACE = "/api/v1/audit"


@pytest.fixture
def _entries(desk: Desk) -> None:
    for number, who in enumerate(("alice", "bob", "alice")):
        desk.record(AuditEntry(who, "192.0.2.1", NOW + number, f"key.{who}", f"key/{number}", None, {"n": number}))


@pytest.mark.usefixtures("_entries")
def test_the_log_is_asked_by_who_what_and_when(client: AppClient) -> None:
    def objects(**conditions: str) -> list[str]:
        return [one["object"] for one in client.json(PLACE, **conditions)["entries"]]

    assert objects() == ["key/2", "key/1", "key/0"]
    assert objects(who="alice") == ["key/2", "key/0"]
    assert objects(action="key.bob") == ["key/1"]
    assert objects(object="key/0") == ["key/0"]
    assert objects(since=timestamp(NOW + 1), until=timestamp(NOW + 2)) == ["key/1"]
    assert objects(who="' OR 1=1 --") == []


@pytest.mark.usefixtures("_entries")
def test_the_log_is_read_page_by_page(client: AppClient) -> None:
    first = client.json(PLACE, limit=2)
    rest = client.json(PLACE, limit=2, cursor=first["next"])
    assert [one["object"] for one in (*first["entries"], *rest["entries"])] == ["key/2", "key/1", "key/0"]
    assert rest["next"] is None
    assert first["entries"][0]["after"] == {"n": 2}
    refused(client.get(PLACE, {"cursor": "nonsense"}), 400)


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.ADMIN])
def test_only_admins_read_the_log(client: AppClient, scope: Scope) -> None:
    secret, _ = client.app.state.accounts.add_key(Key("", f"only-{scope}", frozenset({scope})))
    refused(client.with_key(secret).get(PLACE), 403)
    refused(client.anonymous.get(PLACE), 401)
