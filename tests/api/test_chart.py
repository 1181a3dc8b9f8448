from api.chart import BOTTOM, HEIGHT, LEFT, TOP, WIDTH, chart
from api.timeline import Timeline
from stores.contract import Bucket
from trailhound.record import MICROSECONDS

HOUR = 3600 * MICROSECONDS


def test_segments_stand_on_each_other_inside_the_picture() -> None:
    drawn = chart(Timeline(HOUR, [Bucket(0, {"DNS": 60, "IP": 30, "URL": 10}), Bucket(HOUR, {"TLS": 1})]))
    for bar in drawn.bars:
        floor = float(HEIGHT - BOTTOM)
        for segment in bar.segments:
            assert segment.x >= LEFT
            assert segment.x + segment.width <= WIDTH
            assert abs(segment.y + segment.height - floor) < 0.05
            floor = segment.y
        assert floor >= TOP - 10
    assert [segment.style for segment in drawn.bars[0].segments] == ["ip", "dns", "url"]


def test_heights_are_in_proportion() -> None:
    [bar] = chart(Timeline(HOUR, [Bucket(0, {"DNS": 60, "IP": 30})])).bars
    heights = {segment.style: segment.height for segment in bar.segments}
    assert abs(heights["dns"] - 2 * heights["ip"]) < 0.05


def test_one_record_beside_a_million_can_be_seen() -> None:
    drawn = chart(Timeline(HOUR, [Bucket(0, {"IP": 1_000_000, "DNS": 1})]))
    assert min(segment.height for segment in drawn.bars[0].segments) >= 1.5


def test_the_legend_adds_up_and_leaves_out_what_did_not_occur() -> None:
    drawn = chart(Timeline(HOUR, [Bucket(0, {"DNS": 2}), Bucket(HOUR, {"DNS": 3, "FILE": 1})]))
    assert [(share.name, share.count) for share in drawn.legend] == [("DNS", 5), ("FILE", 1)]


def test_labels_are_few_and_say_the_day_where_it_matters() -> None:
    day = chart(Timeline(HOUR, [Bucket(n * HOUR, {"DNS": 1}) for n in range(24)]))
    assert [label.text for label in day.times] == ["00:00", "04:00", "08:00", "12:00", "16:00", "20:00"]
    week = chart(Timeline(HOUR, [Bucket(n * HOUR, {"DNS": 1}) for n in range(168)]))
    assert week.times[1].text == "02 Jan 04:00"
    assert len(week.times) == 6
    assert chart(Timeline(24 * HOUR, [Bucket(0, {"DNS": 1})])).times[0].text == "01 Jan 1970"


def test_nothing_is_drawn_of_nothing() -> None:
    drawn = chart(Timeline(HOUR, []))
    assert (drawn.bars, drawn.times, drawn.legend) == ([], [], [])


def test_steps_are_spoken() -> None:
    spoken = [chart(Timeline(seconds * MICROSECONDS, [])).step for seconds in (1, 90, 120, 3600, 86_400, 604_800)]
    assert spoken == ["second", "90 seconds", "2 minutes", "hour", "day", "7 days"]
