"""What the commands of `es` do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import typer
from elasticsearch import Elasticsearch
from rich.filesize import decimal

from stores.elastic import connect, setup
from stores.elastic.checks import Check, check_cluster, check_host
from stores.elastic.names import Names
from stores.elastic.setup import Plan
from stores.elastic.status import Status, status
from stores.elastic.templates import Wishes
from trailhound.cluster import Cluster
from trailhound.commands.screen import visible
from trailhound.settings import Settings


def set_up(settings: Settings, *, dry_run: bool, as_json: bool) -> None:
    """Bring the cluster up to what is needed, and say what was done."""
    of = _names(settings)
    with _connected(settings, settings.store.elasticsearch) as client:
        plan = setup.plan(client, of, _wishes(settings))
        if dry_run:
            typer.echo(json.dumps([asdict(step) for step in plan.steps], indent=None if as_json else 2))
            return
        for step in plan.steps:
            setup.send(client, step)
            if not as_json:
                typer.echo(visible(step.why))
    if as_json:
        typer.echo(json.dumps({"namespace": of.namespace, "done": _whys(plan), "notes": plan.notes}))
        return
    if not plan.steps:
        typer.echo(f"nothing to do: namespace {of.namespace} is as it should be")
    for note in plan.notes:
        typer.echo(visible(f"note: {note}"))


def show(settings: Settings, *, as_json: bool) -> bool:
    """Show how the cluster is; tell whether it is set up."""
    with _connected(settings, settings.store.elasticsearch) as client:
        found = status(client, _names(settings), _wishes(settings))
    if as_json:
        abilities = asdict(found.abilities) | {"types": sorted(found.abilities.types)}
        typer.echo(json.dumps(asdict(found) | {"abilities": abilities}))
    else:
        for line in _lines(found):
            typer.echo(visible(line))
    return not found.due


def check(settings: Settings, *, as_json: bool) -> bool:
    """Say of each thing whether it is well; tell whether all are."""
    found = list(_checks(settings))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
    else:
        for one in found:
            typer.echo(visible(f"{'ok  ' if one.well else 'BAD '} {one.what}: {one.said}"))
    return all(one.well for one in found)


def _checks(settings: Settings) -> Iterator[Check]:
    """Try each host, then look at the cluster through those that answer."""
    cluster = settings.store.elasticsearch
    reached = []
    for host in (cluster.cloud_id.partition(":")[0],) if cluster.cloud_id else cluster.hosts:
        with _connected(settings, _of_hosts(cluster, host)) as client:
            found = check_host(client, host)
        if found.well:
            reached.append(host)
        yield found
    if reached:
        with _connected(settings, _of_hosts(cluster, *reached)) as client:
            yield from check_cluster(client, _names(settings), _wishes(settings))


def _of_hosts(cluster: Cluster, *hosts: str) -> Cluster:
    return cluster if cluster.cloud_id else cluster.model_copy(update={"hosts": hosts})


@contextmanager
def _connected(settings: Settings, cluster: Cluster) -> Iterator[Elasticsearch]:
    client = connect.client(cluster, settings.state_dir / "secrets")
    try:
        yield client
    finally:
        client.close()


def _names(settings: Settings) -> Names:
    return Names(settings.store.elasticsearch.namespace)


def _wishes(settings: Settings) -> Wishes:
    cluster = settings.store.elasticsearch
    return Wishes(cluster.retention_days, cluster.refresh_seconds)


def _whys(plan: Plan) -> list[str]:
    return [step.why for step in plan.steps]


def _lines(found: Status) -> Iterator[str]:
    yield f"cluster    {found.cluster}: {', '.join(found.versions) or 'version not told'}, {found.health}"
    yield f"namespace  {found.namespace}"
    types = ", ".join(sorted(found.abilities.types)) or "only ordinary field types"
    yield f"has        {types}; {found.abilities.lifecycle or 'no lifecycle management'}"
    yield f"lifecycle  {found.lifecycle}"
    for template in found.templates:
        there = "missing" if template.version is None else f"version {template.version}"
        yield f"template   {template.name}: {there} (ours: {template.ours})"
    if not found.events:
        yield "events     none yet: the data stream is made when the first is written"
    for index in (*found.events, *found.indices):
        yield f"index      {index.name}: {index.documents:,} documents, {decimal(index.size)}, {index.health}"
    for due in found.due:
        yield f"due        {due}: run `trailhound es setup`"
    for note in found.notes:
        yield f"note       {note}"
