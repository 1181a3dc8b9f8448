"""The registry of behaviours: all of them are usable, and none brings pandas where it does not belong."""

import subprocess
import sys

import pytest

from ingest.pipeline import Pipeline
from matchers import heuristics
from matchers.behaviour import BUILT_IN, analysing, chosen, registry
from matchers.behaviour.behaviour import Behaviour, Chosen
from matchers.findings import Thresholds
from matchers.observers import OBSERVERS
from tests.matchers.behaviour.making import START, window
from trailhound.errors import SettingsError

ROW = {"ts": START, "id.orig_h": "10.0.0.5", "id.resp_h": "93.184.216.34", "id.resp_p": 443}


@pytest.mark.parametrize("behaviour", BUILT_IN, ids=[behaviour.name for behaviour in BUILT_IN])
def test_a_behaviour_looks_through_records_of_which_hardly_anything_is_known(behaviour: Behaviour) -> None:
    looked_at = window(**{log: [ROW] for log in behaviour.reads})
    analysed = analysing.analyse(looked_at, [Chosen(behaviour, behaviour.thresholds())])
    assert (analysed.seen, analysed.failed) == ([], {})
    assert analysed.spent.keys() == {behaviour.name}


def test_names_are_of_one_list_with_heuristics_and_logs_are_known() -> None:
    assert registry().keys() & heuristics.registry().keys() == set()
    assert {log for behaviour in registry().values() for log in behaviour.reads} <= OBSERVERS.keys()


def test_settings_choose() -> None:
    names = [one.behaviour.name for one in chosen(["beacon"], ["first-seen-domain"], {})]
    assert "beacon" not in names
    assert "first-seen-domain" in names
    assert "first-seen-domain" not in [one.behaviour.name for one in chosen([], [], {})]
    (one,) = [one for one in chosen([], [], {"strobe": {"connections": 500}}) if one.behaviour.name == "strobe"]
    assert one.thresholds == one.behaviour.thresholds.model_validate({"connections": 500})
    with pytest.raises(SettingsError, match=r"heuristics\.thresholds\.strobe\.connections: .*greater than or equal"):
        chosen([], [], {"strobe": {"connections": 1}})


def test_an_analysis_that_fails_is_no_failure_of_the_others() -> None:
    broken = Behaviour(
        name="broken",
        title="",
        about="",
        reads={},
        analysis="matchers.behaviour.analyses.nowhere:analyse",
        technique=None,
        thresholds=Thresholds,
        false_positives=(),
        silence="",
    )
    analysed = analysing.analyse(window(conn=[ROW]), [Chosen(broken), *chosen([], [], {})])
    assert list(analysed.failed) == ["broken"]
    assert len(analysed.spent) == len(chosen([], [], {})) + 1


@pytest.mark.parametrize(
    "module", ["trailhound.cli", "trailhound.commands.run", "matchers.behaviour", Pipeline.__module__]
)
def test_pandas_is_for_the_process_that_looks(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'pandas', 'numpy'}} & sys.modules.keys()))"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout == "[]\n"
