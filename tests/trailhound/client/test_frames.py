from datetime import UTC, datetime

import pandas as pd

from tests.stores.factory import HOUR, START
from tests.trailhound.client.test_client import moment
from trailhound.client import Client, frames


def test_events_are_a_frame_with_times(trailhound: Client) -> None:
    frame = frames.events(trailhound.events(order="oldest"))
    assert len(frame) == 5
    assert str(frame["@timestamp"].dtype) == "datetime64[ns, UTC]" or frame["@timestamp"].dt.tz is not None
    assert frame["@timestamp"].iloc[0] == pd.Timestamp(moment(START))
    assert frame.groupby("source.ip")["trailhound.count"].sum()["45.155.205.233"] == 100


def test_threats_are_a_frame_with_what_is_inside(trailhound: Client) -> None:
    first = next(trailhound.threats())
    trailhound.set_triage(first.id, state="resolved")
    frame = frames.rows(trailhound.threats())
    assert set(frame["class"]) == {"c2", "attacker"}
    assert frame.set_index("id")["triage.state"][first.id] == "resolved"
    assert frame["last"].max() == datetime.fromtimestamp((START + 2 * HOUR) / 1e6, UTC)


def test_a_timeline_is_a_frame_without_gaps(trailhound: Client) -> None:
    found = trailhound.timeline("class", interval="30m", since=moment(START), until=moment(START + 24 * HOUR))
    frame = frames.timeline(found)
    assert len(frame) == 48
    assert frame["c2"].tolist()[:5] == [1, 0, 5, 0, 1]
    assert frame.index[1] - frame.index[0] == pd.Timedelta(minutes=30)
    assert frame.to_numpy().sum() == 108


def test_nothing_is_an_empty_frame(trailhound: Client) -> None:
    nothing = trailhound.timeline(since="2001-01-01", until="2001-01-02")
    assert frames.timeline(nothing).empty
    assert frames.events([]).empty
    assert frames.rows([]).empty
