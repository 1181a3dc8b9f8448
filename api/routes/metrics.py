"""Metrics for Prometheus."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from api.deps import FeedsDep, NowDep, StoreDep, TrailsDep
from api.feed_measures import FeedMeasures
from api.measures import Measures

router = APIRouter(tags=["operation"])


@router.get(
    "/metrics",
    operation_id="getMetrics",
    summary="Metrics in Prometheus' text format",
    response_class=PlainTextResponse,
)
def get_metrics(store: StoreDep, trails: TrailsDep, feeds: FeedsDep, now: NowDep) -> Response:
    """Give counters of what was read, gauges of what is stored, and what the process itself uses."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(Measures(store, trails, now))
    registry.register(FeedMeasures(feeds, now))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
