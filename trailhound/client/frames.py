"""What the client gives, as pandas frames; needs the extra `frames` (`pip install 'trailhound[frames]'`)."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pandas as pd

from trailhound.client.answers import Struct, Timeline

_TIMES = ("@timestamp", "event.start", "event.end", "event.ingested")


def events(found: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Give events, a row each; columns have ECS names with dots, those of `@timestamp` and the like are times."""
    frame = pd.json_normalize(list(found))
    for name in _TIMES:
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
    return frame


def rows(found: Iterable[Struct]) -> pd.DataFrame:
    """Give threats, decisions or whatever else the client lists, a row each, with the fields of the API."""
    return pd.DataFrame([_flat(one) for one in found])


def timeline(found: Timeline) -> pd.DataFrame:
    """Give a timeline, a row for each step and a column for each value; where nothing happened are zeros."""
    starts = pd.DatetimeIndex([bucket.start for bucket in found.buckets], name="start")
    frame = pd.DataFrame([dict(bucket.counts) for bucket in found.buckets], index=starts)
    return frame.fillna(0).astype("int64")


def _flat(one: Struct) -> dict[str, Any]:
    """Give the fields by the names of the API, those of what is inside (`triage.state`) too."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(one):
        value = getattr(one, field.name)
        if isinstance(value, Struct):
            found |= {f"{field.encode_name}.{name}": inner for name, inner in _flat(value).items()}
        else:
            found[field.encode_name] = value
    return found
