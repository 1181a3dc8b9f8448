"""Make the model of letters from a list of good names: `python -m matchers.heuristics.letters.train NAMES`.

NAMES has one label a line (`wikipedia`, not `wikipedia.org`); lines that begin with `#` are comments.
"""

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from matchers.heuristics.letters import BEFORE, CHARACTERS, UNIT, plain

# How many sightings of a context weigh as much as what is known of its shorter form.
_DOUBT = 10
# How likely each character is where a machine draws it: most generators draw letters, some letters and digits.
_RANDOM = {character: 10 / 36 if character == "0" else 1 / 31 for character in CHARACTERS}

Model = Mapping[str, list[int]]


def train(labels: Iterable[str]) -> Model:
    """Count which character follows which; give a row of scores for each two that may come first."""
    seen: Counter[str] = Counter()
    for text in map(plain, labels):
        for place in range(2, len(text)):
            seen.update((text[place], text[place - 1 : place + 1], text[place - 2 : place + 1]))
    totals: Counter[str] = Counter()
    for run, count in seen.items():
        totals[run[:-1]] += count
    starts = [2 * BEFORE, *(BEFORE + one for one in CHARACTERS)]
    return {
        context: [_score(seen, totals, context, character) for character in CHARACTERS]
        for context in (*starts, *(one + other for one in CHARACTERS for other in CHARACTERS))
    }


def _score(seen: Counter[str], totals: Counter[str], context: str, character: str) -> int:
    chance = 1 / len(CHARACTERS)
    for known in ("", context[1:], context):
        chance = (seen[known + character] + _DOUBT * chance) / (totals[known] + _DOUBT)
    return round(UNIT * math.log(chance / _RANDOM[character]))


def written(model: Model) -> str:
    """Write a model as JSON with a row a line."""
    rows = (f"{json.dumps(context)}:{json.dumps(row, separators=(',', ':'))}" for context, row in model.items())
    return "{\n" + ",\n".join(rows) + "\n}\n"


def read(path: Path) -> list[str]:
    """Read a list of labels."""
    return [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]


if __name__ == "__main__":
    Path(__file__).with_name("model.json").write_text(written(train(read(Path(sys.argv[1])))), "utf-8")
