"""Where a house rule does not hold, and why: the one place for it."""

from collections.abc import Mapping

# Files of more lines than the rule allows.
LONG_FILES: Mapping[str, str] = {}
# Functions of more lines than the rule allows, as `file:function`.
LONG_FUNCTIONS: Mapping[str, str] = {
    "trailhound/canonical.py:indicator": "One match: a kind of trail a case.",
    "trailhound/commands/scan.py:scan": "Its parameters are the options with their help.",
    "trailhound/commands/trails.py:compile_": "The same.",
    "trailhound/commands/export.py:export": "The same.",
    "tests/fixtures/json_traps.py:eve_protocols": "Made-up events, one after the other.",
    "tests/fixtures/zeek_tsv_traps.py:form": "The same, of rows.",
}
# Files that may hold what looks like a path of somebody's machine.
PATHS: Mapping[str, str] = {
    "tests/api/test_app.py": "A made-up path that no answer may give away.",
}
