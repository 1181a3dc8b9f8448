"""What must not stand in a file."""

import ast
import re

from tests.house.exemptions import PATHS
from tests.house.tree import PACKAGES, files, python_files, syntax, text

# Put together from parts, so that this file does not hold them.
UNFINISHED = re.compile(
    r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b|\bfor" + r" now\b|(?<!::)\bplace" + r"holder\b(?!\s*=)"
)
MACHINE = re.compile(r"(?<![\w.\-*}>])/(?:wor" + r"k|tm" + r"p|home/[a-z]+|Users/[a-z]+)/")
MAY_PRINT = ("trailhound/cli.py", "trailhound/commands/")


def readable() -> list[tuple[str, str]]:
    found = []
    for name in files():
        try:
            found.append((name, text(name)))
        except UnicodeDecodeError:
            continue  # A picture, or a log that is meant to be broken.
    return found


def test_nothing_is_left_unfinished() -> None:
    found = {name: UNFINISHED.findall(content) for name, content in readable()}
    assert {name: words for name, words in found.items() if words} == {}


def test_no_path_of_a_machine_of_ours_stands_in_a_file() -> None:
    found = {name: MACHINE.findall(content) for name, content in readable() if name not in PATHS}
    assert {name: paths for name, paths in found.items() if paths} == {}


def test_exempted_files_still_hold_such_paths() -> None:
    assert [name for name in PATHS if not MACHINE.search(text(name))] == []


def test_errors_are_caught_and_raised_by_name() -> None:
    wrong = []
    for name in python_files():
        for node in ast.walk(syntax(name)):
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                wrong.append(f"{name}:{node.lineno} catches everything")
            elif isinstance(node, ast.Raise):
                raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                if isinstance(raised, ast.Name) and raised.id in ("Exception", "BaseException"):
                    wrong.append(f"{name}:{node.lineno} raises {raised.id}")
    assert wrong == []


def test_only_the_command_line_prints() -> None:
    wrong = [
        f"{name}:{node.lineno}"
        for name in python_files(*PACKAGES)
        if not name.startswith(MAY_PRINT)
        for node in ast.walk(syntax(name))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert wrong == []
