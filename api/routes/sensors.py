"""Sensors: what is read, and how far."""

from fastapi import APIRouter

from api import translate
from api.access.guarding import needs
from api.access.principal import Scope
from api.answers import SensorsAnswer
from api.deps import NowDep, StoreDep

router = APIRouter(tags=["sensors"], dependencies=[needs(Scope.READ, whole=True)])


@router.get("/sensors", operation_id="listSensors", summary="Heartbeats of all logs")
def list_sensors(store: StoreDep, now: NowDep) -> SensorsAnswer:
    """Give what is read of each log, what is unread or lost, and since when it is silent."""
    return SensorsAnswer(sensors=tuple(translate.sensor(status, now) for status in store.sensors()))
