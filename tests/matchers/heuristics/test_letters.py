"""The model of letters."""

import json
from importlib import resources
from pathlib import Path

import pytest

from bench.generated_names import FAMILIES
from matchers.heuristics.letters import letters, of_rows
from matchers.heuristics.letters.train import read, train, written

_NAMES = Path(__file__).parents[3] / "bench" / "good_names.txt"


def test_the_model_is_what_the_list_of_good_names_makes() -> None:
    shipped = resources.files("matchers.heuristics.letters").joinpath("model.json").read_text("utf-8")
    assert written(train(read(_NAMES))) == shipped
    assert json.loads(shipped)


@pytest.mark.parametrize("label", ["wikipedia", "stackoverflow", "deutsche-bank", "office365", "123movies"])
def test_names_that_people_chose_weigh_more_than_nothing(label: str) -> None:
    assert letters().score(label) > 0


@pytest.mark.parametrize("label", ["xkqzjvwpt", "qwfpzxcvbkjh", "q4x9z7kw2jv8", "zzxxqqjjkk"])
def test_random_letters_weigh_less(label: str) -> None:
    assert letters().score(label) < -8


@pytest.mark.parametrize("label", ["", "a", "_dmarc", "\udcff\udcfe", "ü" * 9])
def test_any_text_has_a_weight(label: str) -> None:
    assert isinstance(letters().score(label), float | int)


def test_learnt_without_a_part_it_tells_that_part_from_generated_names() -> None:
    names = read(_NAMES)
    learnt = of_rows(train(names[::2]))
    held_out = names[1::2]
    assert sum(learnt.score(name) < -8 for name in held_out) / len(held_out) < 0.015
    for family in ("8-11 letters", "12-15 letters", "20-28 letters and digits"):
        made = FAMILIES[family](500)
        assert sum(learnt.score(name) < -8 for name in made) / len(made) > 0.5, family
