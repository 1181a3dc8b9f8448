"""Metrics for Prometheus."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from api.access.guarding import needs
from api.access.principal import Scope
from api.behaviour_measures import BehaviourMeasures
from api.deps import FeedsDep, NowDep, SettingsDep, StoreDep, TrailsDep
from api.feed_measures import FeedMeasures
from api.heuristic_measures import HeuristicMeasures
from api.measures import Measures
from api.routes.outbox import OutboxDep
from api.sending.measures import SendMeasures

router = APIRouter(tags=["operation"], dependencies=[needs(Scope.READ, whole=True, own=True)])


@router.get(
    "/metrics",
    operation_id="getMetrics",
    summary="Metrics in Prometheus' text format",
    response_class=PlainTextResponse,
)
def get_metrics(
    store: StoreDep, trails: TrailsDep, feeds: FeedsDep, outbox: OutboxDep, settings: SettingsDep, now: NowDep
) -> Response:
    """Give counters of what was read, gauges of what is stored, and what the process itself uses."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(Measures(store, trails, now))
    registry.register(FeedMeasures(feeds, now))
    registry.register(BehaviourMeasures(settings.state_dir, now))
    registry.register(HeuristicMeasures(settings.state_dir))
    registry.register(SendMeasures(outbox, settings.send.targets, now))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
