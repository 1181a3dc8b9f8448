"""Programs that are fetched by their file's name, in the clear: how droppers fetch what they run.

What the name promises, the log of files confirms or denies: it tells what a file is by its content, and its hash.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import re2

from matchers.asked import Asked
from matchers.findings import Found, Part, Technique, Thresholds
from matchers.heuristics.episodes import Episode, Episodes
from matchers.heuristics.exchange import COLUMNS, Request, request, url_value
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.lines import pattern
from matchers.heuristics.suspects import EXTENSIONS, suspects
from matchers.heuristics.vertical import is_ours
from matchers.view import View, rows_of
from trailhound import canonical
from trailhound.errors import RecordError
from trailhound.record import MICROSECONDS, Record
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_WINDOW = 24 * 3600 * MICROSECONDS
_REMEMBERED = 10_000  # Files that are waited for, and as many programs that nobody asked for by name so far.
_DOWNLOADS = pattern(rf"(?:^|/)[^/?\n]{{1,9}}\.(?:{EXTENSIONS})(?:\?[^=\n]*)?$")
_ORDINARY = pattern(r"cgi|/scripts/|/_vti_bin/|/bin/|/pub/softpaq/|/bios/|/pc-axis/")
_EXTENSION = re2.compile(rf"(?i)\.({EXTENSIONS})(?:\?|$)")
# How Zeek calls programs by their content, and how Suricata (libmagic) describes them.
_PROGRAMS = pattern(
    r"^application/(?:x-dosexec|x-executable|x-elf|x-mach-o-executable|x-sharedlib|x-msi|vnd\.microsoft\.portable)",
    r"^application/(?:x-msdownload|x-msdos-program|x-ms-shortcut|hta|java-archive|vnd\.android\.package-archive)",
    r"^PE32|^MS-DOS executable|^ELF |^Mach-O|MSI Installer|^MS Windows shortcut|^Dalvik dex",
)
_HARMLESS = pattern(r"^text/html|^image/|^text/css|^HTML document|^application/(?:json|xml)")
_NAMED, _CONFIRMED, _DENIED, _BARE, _REFUSED, _SEEN = 35, 35, -25, 10, -25, 5


class DirectDownload(Thresholds):
    """Nothing to set."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file that was asked for by name, of which the log of files may say what it is."""

    url: str
    value: str
    extension: str
    key: str
    parts: tuple[Part, ...]


class _Watcher:
    def __init__(self, thresholds: DirectDownload, surroundings: Surroundings) -> None:
        del thresholds
        self._surroundings = surroundings
        self._episodes = Episodes(_WINDOW, surroundings.slack)
        self._asked = Asked(_programs, capacity=4096)
        self._wanted: OrderedDict[str, _Wanted] = OrderedDict()
        self._programs: OrderedDict[str, str] = OrderedDict()

    def held(self) -> int:
        return len(self._episodes) + len(self._wanted) + len(self._programs)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        yield from self._requests(view) if view.log == "http" else self._files(view)

    def _requests(self, view: View) -> Iterator[tuple[int, Found]]:
        column = view.column("uri")
        found = view.once(suspects).with_any(_DOWNLOADS)
        cells = {cell for cell, uri in found.items() if _ORDINARY.search(_bytes(uri)) is None}
        for row in rows_of(cells, column or ()):
            asked = request(view, row)
            if asked is None or is_ours(self._surroundings, asked.destination) or self._is_listed(asked):
                continue
            if asked.is_refused and not is_ours(self._surroundings, asked.source):  # A scan for what is left behind.
                continue
            key = f"{asked.source} {asked.url}"
            episode = self._episodes.add(key, asked.occasion, view.time(row))
            record = _record(view, row) if episode is not None else None
            if episode is not None and record is not None:
                yield row, self._found(asked, episode, record, key)

    def _is_listed(self, asked: Request) -> bool:
        """Tell whether the host is on a whitelist, be it one that leaves trails below it in force."""
        return self._surroundings.rules.whitelist.name(asked.host) is not None

    def _found(self, asked: Request, episode: Episode, record: Record, key: str) -> Found:
        files = _files_of(record, asked.path)
        seen = next((self._programs[file] for file in files if file in self._programs), "")
        wanted = _Wanted(asked.url, url_value(asked), _extension(asked), key, _parts(asked, record, seen))
        if not seen:
            for file in files:
                self._wanted[file] = wanted
                if len(self._wanted) > _REMEMBERED:
                    self._wanted.popitem(last=False)
        return _told(wanted, f"fetched {asked.shown}", episode, str(episode.level))

    def _files(self, view: View) -> Iterator[tuple[int, Found]]:
        column = view.column("mime_type")
        if column is None:
            return
        for row in rows_of(self._asked.hot(view, "mime_type", view.distinct("mime_type")), column):
            record = _record(view, row)
            said = _program(record) if record is not None else ""
            for file in _files_of(record, record.text("filename") or "") if record is not None else ():
                wanted = self._wanted.pop(file, None)
                if wanted is not None and _is_new(wanted):
                    parts = (*(part for part in wanted.parts if part.points > 0), Part("content", _CONFIRMED, said))
                    sure = _Wanted(wanted.url, wanted.value, wanted.extension, wanted.key, parts)
                    time = view.time(row)
                    yield (
                        row,
                        _told(sure, f"was sent a program for {wanted.url} ({said})", Episode(0, 1, time, time), "sure"),
                    )
                    break
                self._programs[file] = said
                if len(self._programs) > _REMEMBERED:
                    self._programs.popitem(last=False)


def _is_new(wanted: _Wanted) -> bool:
    return all(part.name != "content" or part.points < 0 for part in wanted.parts)


def _told(wanted: _Wanted, said: str, episode: Episode, level: str) -> Found:
    score = max(0, min(100, round(sum(part.points for part in wanted.parts))))
    is_sure = any(part.name == "content" and part.points > 0 for part in wanted.parts)
    is_bare = any(part.name == "host" for part in wanted.parts)
    return Found(
        said=said,
        score=score,
        severity=(Severity.HIGH if is_bare else Severity.MEDIUM) if is_sure else Severity.LOW,
        title=f"direct .{wanted.extension} download (suspicious)",
        value=wanted.value,
        kind=TrailKind.URL,
        observed=wanted.url,
        role="url.original",
        parts=wanted.parts,
        count=episode.count,
        start=episode.start,
        end=episode.end,
        key=f"{wanted.key} {level}",
        window=_WINDOW,
    )


def _parts(asked: Request, record: Record, seen: str) -> tuple[Part, ...]:
    parts = [Part("name", _NAMED, f"a file .{_extension(asked)} was asked for by name")]
    if canonical.address(asked.host):
        parts.append(Part("host", _BARE, "from a bare address"))
    types = record.texts("resp_mime_types")
    sniffed = next((text for text in types if _PROGRAMS.search(_bytes(text)) is not None), "")
    if seen or sniffed:
        parts.append(Part("content", _CONFIRMED, seen or f"the content is {sniffed}"))
    elif any(_HARMLESS.search(_bytes(text)) is not None for text in types):
        parts.append(Part("content", _DENIED, f"the content is {types[0]}"))
    if asked.is_refused:
        parts.append(Part("answer", _REFUSED, f"the server refused it with {asked.status}"))
    elif asked.is_answered_well:
        parts.append(Part("answer", _SEEN, f"the server answered {asked.status}"))
    return tuple(parts)


def _extension(asked: Request) -> str:
    found = _EXTENSION.search(asked.path)
    return found.group(1).lower() if found is not None else ""


def _program(record: Record) -> str:
    digest = next(
        (f", {name.upper()} {value}" for name in ("sha256", "sha1", "md5") if (value := record.text(name))), ""
    )
    return f"the content is {record.text('mime_type')}{digest}"


def _files_of(record: Record, path: str) -> Sequence[str]:
    """Give what a file is known by in both logs: Zeek numbers it, Suricata names its flow and its path."""
    numbers = [*record.texts("resp_fuids"), *record.texts("fuid")]
    uid = record.text("uid")
    return numbers if record.module == "zeek" else [f"{uid} {path}"] if uid and path else []


def _record(view: View, row: int) -> Record | None:
    try:
        return view.record(row)
    except RecordError:
        return None


def _programs(texts: Sequence[str]) -> set[str]:
    return {text for text in texts if _PROGRAMS.search(_bytes(text)) is not None}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


DIRECT_DOWNLOAD = Heuristic(
    name="direct-download",
    title="direct program download (suspicious)",
    about="A host fetches a program by the name of its file, in the clear, with no page before it; what the content is,"
    " and its hash, raise or lower the score.",
    reads={"http": COLUMNS, "files": ("mime_type",)},
    technique=Technique("T1105", "Ingress Tool Transfer", "Command and Control"),
    thresholds=DirectDownload,
    start=_Watcher,
    false_positives=("Updates of programs that are still fetched in the clear", "Mirrors of software"),
    silence="Whitelist the host, or mute `direct-download` for the server, or with the URL as its `value`.",
    blind="What is fetched over TLS; programs under another name; servers in the home networks. Zeek sniffs the"
    " content, Suricata tells it where `file-store` or `force-magic` has it look.",
)
