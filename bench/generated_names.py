"""Names as malware generates them, ten ways, and how well names are told from good ones.

`python -m bench.generated_names` compares the model of letters with the rule of the reference system (entropy over 3.5
bits or more than nine consonants), name by name, both learnt and judged without the names that it is measured by; and
says how many names of a family a client asks for until `generated-name` or `nxdomain-excess` fires.
"""

import hashlib
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from matchers.heuristics.letters import of_rows
from matchers.heuristics.letters.train import read, train

NAMES = Path(__file__).with_name("good_names.txt")
LETTERS = -8.0  # The default threshold of `generated-name`.
NEEDED = 4  # The same.
ZONES = 26  # From here on `nxdomain-excess` fires, whatever the names look like.
_SIZE = 2000
_ABC = "abcdefghijklmnopqrstuvwxyz"
_CONSONANTS = "bcdfghjklmnpqrstvwxyz"
_VOWELS = "aeiouy"
_DICTIONARY = """
able about above across action active after again agree ahead allow alone along amount anger angle animal answer
apple april argue arrive aunt autumn baby back ball bank basket bath beach bear beauty bed begin bell bird birth
blood blue board boat body bone book border bottle bottom bread break bridge bright brother brown building burn
butter button cake camera capital captain carry castle catch cause center chair chance change cheap cheese child
circle city class clean clear climb clock cloth cloud coast coffee cold color common copper corner cotton count
country cover cross crowd daughter dead decide deep degree desert dinner doctor double dream dress drink drive
"""

Family = Callable[[int], Sequence[str]]


def _draws(seed: int) -> Iterator[int]:
    """Draw numbers as the simple generators of malware do: each from the one before."""
    while True:
        seed = (seed * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
        yield seed >> 8


def _drawn(alphabet: str, shortest: int, longest: int, seed: int) -> Family:
    def label(draw: Iterator[int]) -> str:
        size = shortest + next(draw) % (longest - shortest + 1)
        return "".join(alphabet[next(draw) % len(alphabet)] for _ in range(size))

    return lambda number: list(map(label, [_draws(seed)] * number))


def _hashed(digits: int) -> Family:
    return lambda number: [hashlib.sha256(b"2026-01-05 %d" % place).hexdigest()[:digits] for place in range(number)]


def _syllables(number: int) -> Sequence[str]:
    draw = _draws(9)
    parts = [_CONSONANTS.replace("y", ""), _VOWELS] * 6
    return ["".join(part[next(draw) % len(part)] for part in parts[: 8 + next(draw) % 5]) for _ in range(number)]


def _words(number: int) -> Sequence[str]:
    draw, words = _draws(11), _DICTIONARY.split()
    return [words[next(draw) % len(words)] + words[next(draw) % len(words)] for _ in range(number)]


def _mutated(number: int) -> Sequence[str]:
    draw, tail = _draws(17), "estnessbiophysicalohax"
    return ["".join(_ABC[next(draw) % 26] for _ in range(4)) + tail for _ in range(number)]


# Family -> makes so many labels, the same each time.
FAMILIES: Mapping[str, Family] = {
    "6-7 letters": _drawn(_ABC, 6, 7, 5),
    "8-11 letters": _drawn(_ABC, 8, 11, 1),
    "12-15 letters": _drawn(_ABC[:25], 12, 15, 7),
    "7-21 letters": _drawn(_ABC[:25], 7, 21, 13),
    "20-28 letters and digits": _drawn(f"{_ABC}0123456789", 20, 28, 3),
    "16 hexadecimal digits": _hashed(16),
    "32 hexadecimal digits": _hashed(32),
    "syllables": _syllables,
    "a word with a new beginning": _mutated,
    "two words": _words,
}


def is_generated_by_reference(label: str) -> bool:
    """Judge as the reference system does."""
    size = len(label)
    entropy = -sum(count / size * math.log2(count / size) for count in Counter(label).values())
    return "-" not in label and (entropy > 3.5 or sum(map(label.count, _CONSONANTS)) > 9)


def _until(judged: Sequence[bool]) -> int:
    places = [place for place, is_generated in enumerate(judged, 1) if is_generated]
    return min(places[NEEDED - 1] if len(places) >= NEEDED else ZONES, ZONES)


def table() -> Iterator[str]:
    names = read(NAMES)
    model = of_rows(train(names[::2]))
    yield "| names | rule of the reference | model of letters | names until an event |"
    yield "| --- | ---: | ---: | ---: |"
    made = {family: make(_SIZE) for family, make in FAMILIES.items()}
    for title, labels in {"good ones": names[1::2], **made}.items():
        old = sum(map(is_generated_by_reference, labels)) / len(labels)
        judged = [model.score(label) < LETTERS for label in labels]
        until = _until(judged) if title in made else ""
        yield f"| {title} | {old:.1%} | {sum(judged) / len(labels):.1%} | {until} |"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in table())
