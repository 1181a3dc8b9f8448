"""The application as schemathesis gets to know it, and what its answers are held to."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import schemathesis
from fastapi import FastAPI
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.engine import from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished
from schemathesis.openapi.checks import UnsupportedMethodResponse
from schemathesis.schemas import BaseSchema

from api.access.accounts import Accounts
from api.access.people import Key
from api.access.principal import ALL, Scope
from api.app import create_app
from stores.embedded import open_embedded
from tests.api.trails import DictLookup
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from trailhound.record import MICROSECONDS
from trailhound.sending import Send, Taxii
from trailhound.settings import Api, Settings

Phase = Literal["examples", "coverage", "fuzzing", "stateful"]
HIDDEN = ("Traceback", "sqlite", "/site-packages/", ".py:")


def make_app(folder: Path) -> FastAPI:
    """Make an application with some events, which slows nobody down."""
    store = open_embedded(folder / "events.sqlite")
    store.append([make_event(identity="one"), make_attack(start=START + HOUR, count=100)])
    settings = Settings(
        state_dir=folder,
        api=Api(names=("testserver",), requests_per_minute=0),
        send=Send(taxii=Taxii(enabled=True)),
    )
    trails = DictLookup([make_trail()], built=START // MICROSECONDS)
    app = create_app(settings, store, trails, clock=lambda: START + 3 * HOUR)
    app.state.accounts = KeepingAccounts(folder / "accounts.sqlite")
    return app


class KeepingAccounts(Accounts):
    """Accounts in which the keys of tests stay good: whoever tries everything revokes their own, too."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._kept: dict[str, Key] = {}

    def keep(self, scopes: frozenset[Scope]) -> str:
        secret, key = self.add_key(Key("", f"key-of-tests-{len(self._kept)}", scopes))
        self._kept[secret] = key
        return secret

    def key(self, secret: str) -> Key | None:
        return self._kept.get(secret) or super().key(secret)


def key_of(app: FastAPI, *scopes: Scope) -> Mapping[str, str]:
    """Give the headers with which somebody shows that they have these scopes, or all."""
    accounts: KeepingAccounts = app.state.accounts
    return {"X-Api-Key": accounts.keep(frozenset(scopes) or ALL)}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of schemathesis, the answer, and what is wrong with it."""

    operation: Mapping[str, Any]
    label: str
    answer: Response
    faults: tuple[Failure, ...]

    def __str__(self) -> str:
        request = self.answer.request
        return f"{self.label}: {request.method} {request.url} {request.body!r}: {', '.join(map(_words, self.faults))}"


def ask(app: FastAPI, headers: Mapping[str, str], *phases: Phase, examples: int = 1) -> Iterator[Asked]:
    """Let schemathesis ask for everything, the same in every run; give what came of it."""
    for event in from_schema(_described(app, headers, phases, examples)).execute():
        if isinstance(event, FatalError):
            raise event.exception
        if isinstance(event, NonFatalError):
            raise event.value
        if isinstance(event, ScenarioFinished):
            yield from _asked(event)


def _described(app: FastAPI, headers: Mapping[str, str], phases: tuple[Phase, ...], examples: int) -> BaseSchema:
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=schemathesis.Config(seed=1))
    project = schema.config
    project.update(headers=dict(headers), continue_on_failure=True)
    project.phases.update(phases=list(phases))
    project.generation.update(max_examples=examples, deterministic=True, database="none", no_shrink=True)
    project.generation.with_security_parameters = False
    checks = project.checks
    # Networks, moments, searches and places to go on are texts whose grammar no schema can say.
    checks.positive_data_acceptance.expected_statuses = ["2xx", "3xx", "400", "401", "403", "404", "409", "412", "422"]
    checks.missing_required_header.expected_statuses = ["400", "401", "403", "406", "415", "422", "428"]
    # To OPTIONS everybody gets all methods there are, without being told what there is at this path.
    checks.allow_header_conformance.enabled = False
    return schema


def _asked(event: ScenarioFinished) -> Iterator[Asked]:
    recorder = event.recorder
    for number, interaction in recorder.interactions.items():
        answer = interaction.response
        if answer is None:
            continue
        faults = (node.failure_info.failure for node in recorder.checks.get(number, ()) if node.failure_info)
        operation = recorder.cases[number].value.operation
        kept = tuple(one for one in faults if not _is_refused_before(answer, one))
        yield Asked(operation.definition.raw, operation.label, answer, kept)


def _is_refused_before(answer: Response, fault: Failure) -> bool:
    """Tell complaints about requests that are refused before anybody looks what methods a page has.

    That is GET with a body, and whatever would change something from somebody without credentials.
    """
    refusals = [("GET", 400), *((method, 401) for method in ("POST", "PUT", "PATCH", "DELETE"))]
    return isinstance(fault, UnsupportedMethodResponse) and (answer.request.method, answer.status_code) in refusals


def _words(fault: Failure) -> str:
    return f"{fault.title}: {fault.message}"


def hold(asked: Asked) -> None:
    """See that an answer is as declared, has the headers of all, and tells nothing of the inside."""
    answer = asked.answer
    assert not asked.faults, str(asked)
    assert answer.status_code < 500, str(asked)
    assert answer.headers["x-content-type-options"] == ["nosniff"], str(asked)
    assert "default-src 'none'" in answer.headers["content-security-policy"][0], str(asked)
    if answer.status_code < 400 or answer.request.method == "HEAD":
        return
    problem = json.loads(answer.content)
    assert problem["status"] == answer.status_code, str(asked)
    assert problem["detail"], str(asked)
    assert answer.status_code != 422 or problem.get("errors"), str(asked)
    # A refusal of a value repeats it, and examples are made of words of the code.
    assert answer.status_code == 422 or not [word for word in HIDDEN if word in answer.text], str(asked)
