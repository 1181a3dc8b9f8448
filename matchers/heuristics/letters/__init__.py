"""How much a name looks like one that people chose: by its letters, each after the two before it.

`model.json` is made by `matchers.heuristics.letters.train` from names of popular sites. For two characters and each
that may follow, it has the logarithm of how much likelier that is in such a name than in a string of random letters
and digits. Digits count as one character.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

CHARACTERS = "abcdefghijklmnopqrstuvwxyz0-"
BEFORE = "^"  # What stands before the first character.
UNIT = 100  # The file has whole hundredths.
_DIGITS_AS_ONE = str.maketrans("123456789", "000000000")


@dataclass(frozen=True, slots=True)
class Letters:
    """What was learnt. `scores` is by three characters, in hundredths of the natural logarithm."""

    scores: Mapping[str, int]

    def score(self, label: str) -> float:
        """Weigh a lower-case label: under 0 it looks made by a machine, the more the lower; over 0 by people.

        A character that a label cannot have counts for nothing.
        """
        text = plain(label)
        triples = map("".join, zip(text, text[1:], text[2:], strict=False))
        return sum(self.scores.get(triple, 0) for triple in triples) / UNIT


def is_mostly_digits(label: str) -> bool:
    """Tell whether two in five characters are digits or more, which the model, for which all are one, cannot weigh."""
    return 5 * sum(map(label.count, "0123456789")) >= 2 * len(label)


def plain(label: str) -> str:
    """Write a label as the model reads it."""
    return 2 * BEFORE + label.translate(_DIGITS_AS_ONE)


def of_rows(rows: Mapping[str, Sequence[int]]) -> Letters:
    """Take a model as the file has it: for each two characters, a score for each of `CHARACTERS` that may follow."""
    return Letters(
        {
            context + character: score
            for context, row in rows.items()
            for character, score in zip(CHARACTERS, row, strict=True)
        }
    )


@lru_cache(maxsize=1)
def letters() -> Letters:
    """Read the model that comes with Trailhound."""
    return of_rows(json.loads(resources.files(__name__).joinpath("model.json").read_text("utf-8")))
