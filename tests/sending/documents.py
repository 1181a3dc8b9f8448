"""Events as targets see them."""

from collections.abc import Mapping
from typing import Any

from tests.stores.factory import make_attack, make_event
from trailhound.event import to_ecs

Document = Mapping[str, Any]


def document(**changes: Any) -> Document:
    return to_ecs(make_event(**changes))


def attack(**changes: Any) -> Document:
    return to_ecs(make_attack(**changes))
