"""Suricata's datasets (a value a line, texts in Base64) and its reputation lists (`address,category,score`)."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from feeds import streams
from feeds.archives import Document
from feeds.entry import MAX_LINE, Entry, Origin, overlong, refused
from feeds.formats import values
from feeds.formats.format import Format, Options
from feeds.formats.making import Said, entries
from trailhound.errors import TrailError
from trailhound.trail import TrailClass, TrailKind

_BEST_SCORE = 127


class DatasetOptions(Options, frozen=True, kw_only=True):
    """`type` is that of the dataset: only texts stand in Base64. What they are is the `kind` of the feed."""

    type: Literal["string", "md5", "sha256", "ip", "ipv4"] = "string"


class ReputationOptions(Options, frozen=True, kw_only=True):
    """`categories` are the classes of categories by number, "" to pass over one; `least` is the lowest score read."""

    categories: dict[str, str] = msgspec.field(default_factory=dict)
    least: int = 1

    def __post_init__(self) -> None:
        for word in self.categories.values():
            if word and word not in set(TrailClass):
                raise ValueError(f"categories: {word!r} is no class; expected one of {', '.join(TrailClass)}")


_TYPES = {"md5": TrailKind.FILE_MD5, "sha256": TrailKind.FILE_SHA256, "ip": TrailKind.IPV4, "ipv4": TrailKind.IPV4}


def read_dataset(documents: Iterable[Document], origin: Origin, options: DatasetOptions) -> Iterator[Entry]:
    """Read the values; what stands behind a comma is a reputation (datarep), which is not read."""
    kind = origin.kind or _TYPES.get(options.type)
    said = Said()
    for number, text in _lines(documents, origin):
        if isinstance(text, str):
            value = text.partition(",")[0].strip()
            try:
                value = _decoded(value) if options.type == "string" else value
                found = values.of_kind(value, kind)
            except TrailError as error:
                yield refused(origin, number, value, str(error))
            else:
                yield from entries(found, said, origin, number, value)
        else:
            yield text


def read_reputation(documents: Iterable[Document], origin: Origin, options: ReputationOptions) -> Iterator[Entry]:
    """Read the addresses; a score of 127 is all that a feed is worth, none at all says that the address is good."""
    for number, text in _lines(documents, origin):
        if not isinstance(text, str):
            yield text
            continue
        words = [word.strip() for word in text.split(",")]
        score = (
            int(words[2]) if len(words) == 3 and words[2].isascii() and words[2].isdigit() and len(words[2]) < 4 else -1
        )
        if not 0 <= score <= _BEST_SCORE:
            yield refused(origin, number, text, "expected `ADDRESS,CATEGORY,SCORE` with a score from 0 to 127")
            continue
        class_ = options.categories.get(words[1])
        if score < options.least or class_ == "":
            continue
        try:
            found = values.of_kind(words[0], TrailKind.CIDR)
        except TrailError as error:
            yield refused(origin, number, words[0], str(error))
            continue
        said = Said(class_=TrailClass(class_) if class_ else None, confidence=score * 100 // _BEST_SCORE)
        yield from entries(found, said, origin, number, words[0])


def _lines(documents: Iterable[Document], origin: Origin) -> Iterator[tuple[int, str | Entry]]:
    for document in documents:
        for number, line in enumerate(streams.lines(document.stream), 1):
            text = line.strip()
            if len(text) > MAX_LINE:
                yield number, overlong(origin, number, text)
            elif text and text[0] != "#":
                yield number, text


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise TrailError(f"{text[:80]!r} is no text in Base64") from error


DATASET = Format(read_dataset, "a dataset of Suricata", DatasetOptions, suffixes=frozenset({".lst", ".txt"}))
IPREP = Format(
    read_reputation, "a reputation list of Suricata", ReputationOptions, suffixes=frozenset({".list", ".txt"})
)
