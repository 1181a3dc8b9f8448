"""Every heuristic and behaviour there is: what each must say of itself, and that tests show when it fires."""

import re
from pathlib import Path

import pytest

from matchers.heuristics.heuristic import Heuristic
from matchers.observers import OBSERVERS
from trailhound.commands.suspicions import Rule, rules

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "heuristics.md"
RULES = rules()
# The tactics of ATT&CK for enterprises, in the order of a kill chain.
TACTICS = {
    "Reconnaissance",
    "Resource Development",
    "Initial Access",
    "Execution",
    "Persistence",
    "Privilege Escalation",
    "Defense Evasion",
    "Credential Access",
    "Discovery",
    "Lateral Movement",
    "Collection",
    "Command and Control",
    "Exfiltration",
    "Impact",
}
# What most tests of near misses are called: what they have in common is that nothing is found.
_NEAR = re.compile(r"near_miss|silent|no_|not_|nothing|clean|harmless|ordinary|below|under|are_none|is_none")


def texts_about(rule: Rule) -> str:
    """Give the text of the tests that are about one: those that name it."""
    folder = HERE if isinstance(rule, Heuristic) else HERE.parent / "behaviour"
    texts = [path.read_text("utf-8") for path in sorted(folder.glob("test_*.py")) if path != Path(__file__)]
    constant = rule.name.replace("-", "_").upper()
    named = re.compile(rf'"{rule.name}"|\b{constant}\b')
    return "\n".join(text for text in texts if named.search(text))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_says_what_it_is_in_words_for_people(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", rule.name)
    assert rule.title
    assert rule.title == rule.title.strip()
    for text in (rule.about, rule.silence):
        assert text[0].isupper()
        assert text.endswith(".")
    assert rule.false_positives
    assert all(text[0].isupper() or text[0] == "`" for text in rule.false_positives)
    assert not any(text.endswith(".") for text in rule.false_positives)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_names_a_technique_as_attack_does(rule: Rule) -> None:
    technique = rule.technique
    if technique is None:
        assert rule.name == "parked"  # Nobody's technique: a domain that nobody uses.
        return
    assert re.fullmatch(r"T1\d{3}(\.\d{3})?", technique.id)
    assert technique.tactic in TACTICS
    assert technique.reference == "https://attack.mitre.org/techniques/" + technique.id.replace(".", "/") + "/"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_threshold_has_a_default_bounds_and_a_reason(rule: Rule) -> None:
    for name, field in rule.thresholds.model_fields.items():
        assert not field.is_required(), name
        assert field.description, name
        assert len(field.description) > 20, name
        assert field.description.endswith("."), name
        assert [one for one in field.metadata if any(hasattr(one, key) for key in ("ge", "gt", "le", "lt"))], name
    rule.thresholds()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_reads_logs_that_have_an_observer(rule: Rule) -> None:
    assert rule.reads
    assert [log for log in rule.reads if log not in OBSERVERS] == []
    assert all(rule.reads.values())


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_has_tests_that_it_fires_and_that_near_misses_do_not(rule: Rule) -> None:
    tests = re.findall(r"def (test_\w+)", texts_about(rule))
    assert [name for name in tests if _NEAR.search(name)], "no test of a near miss"
    assert [name for name in tests if not _NEAR.search(name)], "no test that it fires"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_is_on_the_page(rule: Rule) -> None:
    page = PAGE.read_text("utf-8")
    assert f"\n### {rule.name}\n\n{rule.about}\n" in page
