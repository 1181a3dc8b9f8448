"""What Elasticsearch is told before the first event: templates, lifecycle, indices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stores.elastic import fields, names
from stores.elastic.abilities import Abilities
from stores.elastic.names import DATASET, Names

# Counts up with each change of what stands here or in `fields`; a server is brought up to it, never back.
VERSION = 1
MANAGED_BY = "trailhound"
# Above the 100 of Elastic's own `logs-*-*`.
PRIORITY = 200
_ROLLOVER = {"max_primary_shard_size": "50gb", "max_age": "30d"}
_TABLES: Mapping[str, Mapping[str, fields.Type]] = {
    "threats": fields.THREATS,
    "observables": fields.OBSERVABLES,
    "sensors": fields.SENSORS,
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the settings say of a namespace: 0 days keeps events for ever."""

    retention_days: int = 90
    refresh_seconds: float = 1.0


def meta(what: str) -> dict[str, Any]:
    return {"managed_by": MANAGED_BY, "version": VERSION, "description": what}


def refresh(wishes: Wishes) -> str:
    return f"{round(wishes.refresh_seconds * 1000)}ms"


def components(names_: Names, abilities: Abilities, wishes: Wishes) -> dict[str, dict[str, Any]]:
    """Give our component templates by name."""
    mappings = {
        "dynamic": False,
        "date_detection": False,
        "_meta": meta("The fields of events: ECS and our own."),
        "properties": fields.properties({**fields.ECS, **fields.OWN}, abilities.types),
    }
    return {
        names.EVENT_MAPPINGS: _component({"mappings": mappings}, "The fields of events of Trailhound."),
        names.EVENT_SETTINGS: _component({"settings": event_settings()}, "How events of Trailhound are kept."),
        names_.component: _component(_of_namespace(names_, abilities, wishes), "What goes for one namespace alone."),
    }


def _component(template: Mapping[str, Any], what: str) -> dict[str, Any]:
    return {"template": template, "version": VERSION, "_meta": meta(what)}


def event_settings() -> dict[str, Any]:
    return {
        "index": {
            # Said aloud: since 9.0 `logs-*-*` are logsdb, which does not keep documents as they came.
            "mode": "standard",
            "codec": "best_compression",
            # Order of arrival is one sequence of numbers, and counts of one shard are exact.
            "number_of_shards": "1",
            "auto_expand_replicas": "0-1",
        }
    }


def _of_namespace(names_: Names, abilities: Abilities, wishes: Wishes) -> dict[str, Any]:
    index: dict[str, Any] = {"refresh_interval": refresh(wishes)}
    template: dict[str, Any] = {"settings": {"index": index}}
    if abilities.ilm and wishes.retention_days:
        index["lifecycle"] = {"name": names_.policy}
    elif abilities.data_stream_lifecycle and wishes.retention_days:
        template["lifecycle"] = {"data_retention": f"{wishes.retention_days}d"}
    if "constant_keyword" in abilities.types:
        parts = {"type": "logs", "dataset": DATASET, "namespace": names_.namespace}
        constants = {part: {"type": "constant_keyword", "value": value} for part, value in parts.items()}
        template["mappings"] = {"properties": {"data_stream": {"properties": constants}}}
    return template


def event_template(names_: Names) -> dict[str, Any]:
    """Give the index template of the data stream; what users put into the `@custom` ones is stronger than ours."""
    custom = [names.EVENT_CUSTOM, names_.custom]
    return {
        "index_patterns": [names_.events],
        "priority": PRIORITY,
        "data_stream": {},
        "composed_of": [names.EVENT_MAPPINGS, names.EVENT_SETTINGS, names_.component, *custom],
        "ignore_missing_component_templates": custom,
        "version": VERSION,
        "_meta": meta("Events of Trailhound."),
    }


def index_template(what: str, index: str, abilities: Abilities) -> dict[str, Any]:
    """Give the index template of the plain index that holds `what`."""
    custom = f"trailhound-{what}@custom"
    return {
        "index_patterns": [index],
        "priority": PRIORITY,
        "composed_of": [custom],
        "ignore_missing_component_templates": [custom],
        "template": {
            "settings": {"index": {"number_of_shards": "1", "auto_expand_replicas": "0-1"}},
            "mappings": {"dynamic": False, "properties": fields.properties(_TABLES[what], abilities.types)},
        },
        "version": VERSION,
        "_meta": meta(f"The {what} of Trailhound."),
    }


def index_templates(names_: Names, abilities: Abilities) -> dict[str, dict[str, Any]]:
    """Give our index templates by name."""
    plain = {index: index_template(what, index, abilities) for what, index in names_.indices.items()}
    return {names_.events: event_template(names_), **plain}


def policy(wishes: Wishes) -> dict[str, Any]:
    """Give the lifecycle policy: roll over, and delete what is older than it shall be."""
    return {
        "policy": {
            "_meta": meta("How long events of Trailhound are kept."),
            "phases": {
                "hot": {"min_age": "0ms", "actions": {"rollover": _ROLLOVER}},
                "delete": {"min_age": f"{wishes.retention_days}d", "actions": {"delete": {}}},
            },
        }
    }
