"""Every route has an owner, and nobody passes them by."""

import re
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from api.access.guarding import check_owners, needs, owners, public
from api.access.principal import SCOPES, Role, Scope
from stores.contract import Store
from tests.api.access.people import Browser, key, user
from tests.api.client import AppClient, refused

# What says nothing of this installation, and what lets people in.
PUBLIC = {
    *("GET /ping", "GET /healthz", "GET /openapi.json", "GET /openapi-3.0.json", "GET /static/{name}"),
    *("GET /login", "POST /login", "POST /logout"),
}


def routes(app: FastAPI) -> list[tuple[str, str, Any]]:
    """Give (method, path with its parameters filled in, owner) of every route."""
    found = []
    for context, (owner,) in owners(app):
        path = re.sub(r"\{[^}]*\}", "0123456789abcdef", context.path or "")
        found += [(method, path, owner) for method in sorted(context.methods or ()) if method != "HEAD"]
    return found


def test_every_route_has_one_owner_and_what_is_public_is_known(app: FastAPI) -> None:
    found = list(owners(app))
    assert len(found) > 30
    for context, names in owners(app):
        assert len(names) == 1, context.path
        if names[0].word == "public":
            assert {f"{method} {context.path}" for method in (context.methods or set()) - {"HEAD"}} <= PUBLIC


def test_an_application_with_an_unowned_or_twice_owned_route_is_not_made() -> None:
    for dependencies in ([], [public(), needs(Scope.READ)]):
        app, router = FastAPI(openapi_url=None, docs_url=None, redoc_url=None), APIRouter(dependencies=dependencies)
        router.add_api_route("/forgotten", lambda: "secret")
        app.include_router(router)
        with pytest.raises(TypeError, match="/forgotten"):
            check_owners(app)


def test_nobody_gets_anything_without_credentials(client: AppClient, app: FastAPI, filled: Store) -> None:
    foreign = client.anonymous.at("203.0.113.5")
    asked = 0
    for method, path, owner in routes(app):
        if owner.word == "public":
            continue
        answer = foreign.request(method, path)
        page = path == "/"
        assert answer.status_code in ((303,) if page else (401, 404)), (method, path, answer.status_code)
        assert "evil.example" not in answer.text
        assert "192.168." not in answer.text
        if owner.word == "scope" and not page:
            assert refused(answer, 401)["title"] == "Unauthorized", path
            assert answer.headers["www-authenticate"].startswith("Bearer")
        asked += 1
    assert asked > 25


@pytest.mark.parametrize("scope", list(Scope))
def test_a_key_opens_what_its_scope_is_for_and_nothing_else(client: AppClient, app: FastAPI, scope: Scope) -> None:
    holder = client.with_key(key(app, scope)).at("203.0.113.5")
    for method, path, owner in routes(app):
        if owner.word != "scope":
            continue
        # The parameter that no route has keeps whatever is opened from being done: some answers have no end.
        answer = holder.request(method, f"{path}?neither=1", json={} if method in ("POST", "PUT", "PATCH") else None)
        if owner.scope is scope:
            assert answer.status_code not in (401, 403), (method, path, answer.text)
        else:
            assert str(owner.scope) in refused(answer, 403)["detail"], (method, path)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_what_its_scopes_are_for(app: FastAPI, role: Role) -> None:
    user(app, role=role)
    browser = Browser(app)
    browser.log_in()
    csrf = browser.get("/api/v1/session").json()["csrf"]
    for method, path, owner in routes(app):
        if owner.word != "scope" or path == "/":
            continue
        body: dict[str, Any] | None = {} if method in ("POST", "PUT", "PATCH") else None
        answer = browser.request(method, f"{path}?neither=1", json=body, headers={"X-CSRF-Token": csrf})
        assert (answer.status_code == 403) == (owner.scope not in SCOPES[role]), (method, path, answer.text)


@pytest.mark.parametrize(
    "path",
    [
        *("//api/v1/events", "/api/v1//events", "/api/v1/events/", "/API/v1/events", "/api/v1/./events"),
        *("/login/../api/v1/events", "/static/../api/v1/events", "/static/%2e%2e/api/v1/events", "/api/v1/events%00"),
        *("/api/v1/events;/login", "/ping/../api/v1/events", "/%2fapi/v1/events", "/login%2f..%2fapi/v1/events"),
        *("/api%2fv1%2fevents", "/api/v1/event%73", "/static/style.css/../../metrics", "/\\api\\v1\\events"),
    ],
)
def test_no_spelling_of_a_path_passes_its_owner_by(client: AppClient, filled: Store, path: str) -> None:
    answer = client.anonymous.at("203.0.113.5").get(f"http://127.0.0.1:8338{path}")
    assert answer.status_code in (401, 404)
    assert "evil.example" not in answer.text


def test_the_document_says_what_each_operation_asks_for(app: FastAPI) -> None:
    document = app.openapi()
    assert set(document["components"]["securitySchemes"]) == {"session", "bearer", "key"}
    events, ping = document["paths"]["/api/v1/events"]["get"], document["paths"]["/ping"]["get"]
    assert events["x-scope"] == "read"
    assert {"bearer": []} in events["security"]
    assert {} not in events["security"]
    assert ping["security"] == []
    assert {} in document["paths"]["/fail2ban"]["get"]["security"]


def test_health_tells_strangers_the_state_alone(client: AppClient, app: FastAPI) -> None:
    app.state.trouble = lambda: "reading has stopped: /secret/place"
    assert "/secret/place" in client.get("/healthz").text
    answer = client.anonymous.at("203.0.113.5").get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "degraded", "reasons": [], "warnings": []}
