import ast
from pathlib import PurePath

from tests.house.exemptions import LONG_FILES, LONG_FUNCTIONS
from tests.house.tree import files, python_files, syntax, text

MOST_LINES = 400
MOST_IN_FUNCTION = 40
MOST_IN_TEST = 60
SAYS_NOTHING = {"utils", "util", "common", "helpers", "helper", "manager", "base", "misc"}


def test_no_file_is_too_long() -> None:
    lengths = {name: len(text(name).splitlines()) for name in python_files()}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES and name not in LONG_FILES} == {}


def test_no_function_is_too_long() -> None:
    too_long = {}
    for name in python_files():
        most = MOST_IN_TEST if name.startswith("tests/") else MOST_IN_FUNCTION
        for node in ast.walk(syntax(name)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > most:
                    too_long[f"{name}:{node.name}"] = lines
    assert {place: lines for place, lines in too_long.items() if place not in LONG_FUNCTIONS} == {}
    assert set(LONG_FUNCTIONS) <= set(too_long), "an exemption that is no longer needed"


def test_exempted_files_are_still_too_long() -> None:
    assert [name for name in LONG_FILES if len(text(name).splitlines()) <= MOST_LINES] == []


def test_every_file_has_a_name_that_says_what_is_in_it() -> None:
    stems = {name: PurePath(name).name.partition(".")[0].removeprefix("test_") for name in files()}
    assert [name for name, stem in stems.items() if stem in SAYS_NOTHING] == []
