"""What docs/heuristics.md says of each heuristic, made from what it says of itself."""

from collections.abc import Iterable, Iterator

from trailhound.commands.rules_shown import thresholds_of
from trailhound.commands.suspicions import Rule


def table(rules: Iterable[Rule]) -> str:
    """Write the table of all heuristics."""
    lines = ["| name | title | on | logs | technique |", "|---|---|---|---|---|"]
    for one in rules:
        technique = one.technique
        cells = (
            f"[{one.name}](#{one.name})",
            one.title,
            "yes" if one.enabled else "no",
            ", ".join(one.reads),
            f"[{technique.id}]({technique.reference}) {technique.name}" if technique is not None else "",
        )
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join(lines) + "\n"


def pages(rules: Iterable[Rule]) -> str:
    """Write a section of each heuristic."""
    return "\n".join("\n".join(_page(one)) + "\n" for one in rules)


def _page(one: Rule) -> Iterator[str]:
    yield f"### {one.name}"
    yield ""
    yield one.about
    yield ""
    if one.thresholds.model_fields:
        yield from ("| threshold | default | bounds | why |", "|---|---|---|---|")
        for name, default, bounds, why in thresholds_of(one.thresholds):
            yield f"| `{name}` | {default} | {_cell(bounds)} | {_cell(why)} |"
        yield ""
    yield f"- Taken for it wrongly: {'; '.join(one.false_positives)}."
    yield f"- To silence it: {one.silence}"
    if one.blind:
        yield f"- Not seen: {one.blind}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
