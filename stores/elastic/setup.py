"""Bring a server to what Trailhound needs: look at it, plan the requests that are missing, send them.

A plan for a server that is as it should be has no steps. What users add to the `@custom` templates stays as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase as fnmatch
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError

from stores.elastic import names, templates
from stores.elastic.abilities import Abilities, probe
from stores.elastic.comparing import changes, covers, flat
from stores.elastic.failures import explained
from stores.elastic.names import Names
from stores.elastic.templates import MANAGED_BY, Wishes
from trailhound.errors import StoreError

_JSON = {"accept": "application/json", "content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Step:
    """One request, and what it is for."""

    why: str
    method: str
    path: str
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be sent, in this order, and what a person should know."""

    abilities: Abilities
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Server:
    """A server that is only looked at."""

    client: Elasticsearch

    def get(self, path: str) -> Any:
        """Give what stands under a path, None when nothing does. Raises `StoreError`."""
        try:
            return self.client.perform_request("GET", path, headers=_JSON).body
        except ApiError as error:
            if error.meta.status == 404:
                return None
            raise StoreError(f"GET {path}: {explained(error)}") from error
        except TransportError as error:
            raise StoreError(f"GET {path}: {explained(error)}") from error

    def component(self, name: str) -> Mapping[str, Any] | None:
        found = self.get(f"/_component_template/{name}")
        return found["component_templates"][0]["component_template"] if found else None

    def index_template(self, name: str) -> Mapping[str, Any] | None:
        found = self.get(f"/_index_template/{name}")
        return found["index_templates"][0]["index_template"] if found else None

    def policy(self, name: str) -> Mapping[str, Any] | None:
        found = self.get(f"/_ilm/policy/{name}")
        return found[name]["policy"] if found else None

    def generations(self, stream: str) -> tuple[str, ...]:
        """Give the backing indices of a data stream, the one that is written to last."""
        found = self.get(f"/_resolve/index/{stream}")
        if not found:
            return ()
        if not found["data_streams"]:
            raise StoreError(
                f"{stream} is an index and no data stream: something wrote to it before `trailhound es setup`;"
                " delete it, or choose another store.elasticsearch.namespace"
            )
        backing = found["data_streams"][0]["backing_indices"]
        return (backing,) if isinstance(backing, str) else tuple(backing)


def apply(client: Elasticsearch, of: Names, wishes: Wishes | None = None) -> Plan:
    """Bring the server up to what is needed; give what was sent. Raises `StoreError`."""
    made = plan(client, of, wishes)
    for step in made.steps:
        send(client, step)
    return made


def send(client: Elasticsearch, step: Step) -> None:
    try:
        client.perform_request(step.method, step.path, body=step.body, headers=_JSON)
    except ApiError as error:
        if _was_there(error):
            return
        raise StoreError(f"{step.why} ({step.method} {step.path}): {explained(error)}") from error
    except TransportError as error:
        raise StoreError(f"{step.why} ({step.method} {step.path}): {explained(error)}") from error


def plan(client: Elasticsearch, of: Names, wishes: Wishes | None = None) -> Plan:
    """Look at the server and give what is missing. Nothing is changed by it. Raises `StoreError`."""
    try:
        abilities = probe(client)
    except (ApiError, TransportError) as error:
        raise StoreError(f"what the server has could not be found out: {explained(error)}") from error
    planner = _Planner(Server(client), of, abilities, wishes or Wishes())
    steps = tuple(planner.steps())
    return Plan(abilities, steps, tuple(planner.notes))


@dataclass(slots=True)
class _Planner:
    server: Server
    of: Names
    abilities: Abilities
    wishes: Wishes
    notes: list[str] = field(default_factory=list)

    def steps(self) -> Iterator[Step]:
        yield from self._policy()
        yield from self._templates()
        for index in self.of.indices.values():
            yield from self._index(index)
        generations = self.server.generations(self.of.events)
        if generations:
            yield from self._stream(generations)
        elif self.abilities.data_stream_api:
            yield Step(f"make the data stream {self.of.events}", "PUT", f"/_data_stream/{self.of.events}")

    def _policy(self) -> Iterator[Step]:
        if self.wishes.retention_days and self.abilities.lifecycle is None:
            self.notes.append(
                "this server has neither index lifecycle management nor data stream lifecycle:"
                f" nothing deletes events older than {self.wishes.retention_days} days"
            )
        if not self.abilities.ilm or not self.wishes.retention_days:
            return
        wanted, found = templates.policy(self.wishes), self.server.policy(self.of.policy)
        if self._is_due(f"lifecycle policy {self.of.policy}", found, wanted["policy"], _meta_version(found)):
            yield Step(f"put the lifecycle policy {self.of.policy}", "PUT", f"/_ilm/policy/{self.of.policy}", wanted)

    def _templates(self) -> Iterator[Step]:
        for name, wanted in templates.components(self.of, self.abilities, self.wishes).items():
            found = self.server.component(name)
            if self._is_due(f"component template {name}", found, wanted, _version(found)):
                yield Step(f"put the component template {name}", "PUT", f"/_component_template/{name}", wanted)
        self._refuse_shadows()
        for name, wanted in templates.index_templates(self.of, self.abilities).items():
            found = self.server.index_template(name)
            if self._is_due(f"index template {name}", found, wanted, _version(found)):
                yield Step(f"put the index template {name}", "PUT", f"/_index_template/{name}", wanted)

    def _refuse_shadows(self) -> None:
        """See that no template of somebody else is stronger than ours for our data stream."""
        for found in (self.server.get("/_index_template") or {}).get("index_templates", ()):
            body, name = found["index_template"], found["name"]
            is_stronger = int(body.get("priority", 0)) > templates.PRIORITY and name != self.of.events
            patterns = body["index_patterns"]
            if is_stronger and any(fnmatch(self.of.events, pattern) for pattern in patterns):
                raise StoreError(
                    f"the index template {name} (priority {body['priority']}, {', '.join(patterns)}) takes"
                    f" {self.of.events} before ours (priority {templates.PRIORITY}): narrow its patterns, or lower it"
                )

    def _is_due(self, what: str, found: Mapping[str, Any] | None, wanted: Mapping[str, Any], version: int) -> bool:
        """Tell whether something is to be put; what a newer Trailhound put there stays."""
        if found is None:
            return True
        if (found.get("_meta") or {}).get("managed_by") != MANAGED_BY:
            raise StoreError(f"the {what} is there and was not made by Trailhound; rename or delete it")
        if version > templates.VERSION:
            theirs_and_ours = f"version {version}, ours {templates.VERSION}"
            self.notes.append(f"the {what} is of a newer Trailhound ({theirs_and_ours}): left as it is")
            return False
        return version < templates.VERSION or not covers(found, wanted)

    def _index(self, index: str) -> Iterator[Step]:
        found = self.server.get(f"/{index}/_mapping")
        if found is None:
            yield Step(f"make the index {index}", "PUT", f"/{index}")
            return
        what = next(what for what, name in self.of.indices.items() if name == index)
        wanted = templates.index_template(what, index, self.abilities)["template"]["mappings"]
        for name, body in found.items():
            added, conflicts = changes(body["mappings"], wanted)
            if conflicts:
                self.notes.append(f"{name}: {', '.join(conflicts)} cannot be changed in place: left as they are")
            if added:
                yield Step(f"add fields to {name}", "PUT", f"/{name}/_mapping", added)

    def _stream(self, generations: tuple[str, ...]) -> Iterator[Step]:
        mappings = self.server.get(f"/{self.of.events}/_mapping") or {}
        settings = self.server.get(f"/{self.of.events}/_settings") or {}
        wanted = self._wanted_mappings()
        fixed: list[str] = []
        for name in generations:
            added, conflicts = changes(mappings.get(name, {}).get("mappings", {}), wanted)
            if name == generations[-1]:
                fixed += conflicts
            if added:
                yield Step(f"add fields to {name}", "PUT", f"/{name}/_mapping", added)
        fixed += self._fixed_settings(flat(settings.get(generations[-1], {}).get("settings", {})))
        yield from self._dynamic_settings(settings)
        yield from self._stream_lifecycle()
        if fixed:
            self.notes.append(
                f"{', '.join(fixed)} cannot be changed in place: new events go to a new backing index,"
                f" older ones stay as they are in {generations[-1]}"
            )
            yield Step(f"roll over {self.of.events}", "POST", f"/{self.of.events}/_rollover")

    def _wanted_mappings(self) -> Mapping[str, Any]:
        parts = templates.components(self.of, self.abilities, self.wishes)
        mappings = dict(parts[names.EVENT_MAPPINGS]["template"]["mappings"])
        extra = parts[self.of.component]["template"].get("mappings", {}).get("properties", {})
        return mappings | {"properties": mappings["properties"] | extra}

    def _custom(self) -> frozenset[str]:
        """Give the settings that users have decided themselves."""
        found = (self.server.component(name) for name in (names.EVENT_CUSTOM, self.of.custom))
        return frozenset(key for one in found if one for key in flat(one["template"].get("settings", {})))

    def _fixed_settings(self, current: Mapping[str, str]) -> list[str]:
        wanted = flat(templates.event_settings())
        decided = self._custom()
        # How many copies there are can be changed at any time, and is the cluster's own business.
        decided |= {"index.auto_expand_replicas"}
        own = {key: value for key, value in wanted.items() if key not in decided}
        absent = {"index.mode": "standard", "index.codec": "default"}
        return [key for key, value in own.items() if current.get(key, absent.get(key)) != value]

    def _dynamic_settings(self, settings: Mapping[str, Any]) -> Iterator[Step]:
        parts = templates.components(self.of, self.abilities, self.wishes)
        wanted: dict[str, str | None] = dict(flat(parts[self.of.component]["template"]["settings"]))
        if self.abilities.ilm:
            wanted.setdefault("index.lifecycle.name", None)
        decided = self._custom()
        for key, value in wanted.items():
            found = [flat(body["settings"]).get(key) for body in settings.values()]
            foreign = key == "index.lifecycle.name" and value is None and self.of.policy not in found
            if key not in decided and not foreign and any(one != value for one in found):
                path = f"/{self.of.events}/_settings"
                yield Step(f"set {key} of {self.of.events}", "PUT", path, {key: value})

    def _stream_lifecycle(self) -> Iterator[Step]:
        if self.abilities.ilm or not self.abilities.data_stream_lifecycle:
            return
        path = f"/_data_stream/{self.of.events}/_lifecycle"
        found = (self.server.get(path) or {}).get("data_streams", [{}])[0].get("lifecycle", {})
        wanted = {"data_retention": f"{self.wishes.retention_days}d"} if self.wishes.retention_days else {}
        if found.get("data_retention") != wanted.get("data_retention"):
            yield Step(f"set how long {self.of.events} is kept", "PUT", path, wanted)


def _version(found: Mapping[str, Any] | None) -> int:
    version = (found or {}).get("version", 0)
    return version if isinstance(version, int) else 0


def _meta_version(found: Mapping[str, Any] | None) -> int:
    return _version((found or {}).get("_meta") or {})


def _was_there(error: ApiError) -> bool:
    """Tell whether a request failed since another set-up made the same thing a moment ago."""
    said = error.body.get("error", {}) if isinstance(error.body, Mapping) else {}
    return isinstance(said, Mapping) and said.get("type") == "resource_already_exists_exception"
