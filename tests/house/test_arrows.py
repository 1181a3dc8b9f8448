"""Arrows run one way: who may import whom."""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.house.tree import PACKAGES, module_of, python_files, syntax

MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "trailhound": frozenset({"trailhound"}),
    "feeds": frozenset({"feeds", "matchers", "trailhound"}),
    "matchers": frozenset({"matchers", "trailhound"}),
    "stores": frozenset({"stores", "trailhound"}),
    "ingest": frozenset({"ingest", "matchers", "stores", "trailhound"}),
    "api": frozenset({"api", "feeds", "matchers", "stores", "trailhound"}),
    "kibana": frozenset({"kibana", "stores", "trailhound"}),
    "zeek_scripts": frozenset({"zeek_scripts"}),
}
# What ties all parts together: it may import everything, and nothing else imports it.
TOP = ("trailhound.cli", "trailhound.commands", "trailhound.__main__")


def is_top(module: str) -> bool:
    return any(module == top or module.startswith(f"{top}.") for top in TOP)


def imports(name: str, modules: frozenset[str]) -> Iterator[str]:
    """Give the modules of ours that a file imports, wherever in it."""
    own = module_of(name)
    package = own if name.endswith("__init__.py") else own.rpartition(".")[0]
    for node in ast.walk(syntax(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*parents, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{source}.{alias.name}"
                if full in modules:
                    yield full
                elif source in modules:
                    yield source


def graph() -> dict[str, set[str]]:
    files = {module_of(name): name for name in python_files(*PACKAGES)}
    modules = frozenset(files)
    return {module: set(imports(name, modules)) - {module} for module, name in files.items()}


def test_each_part_imports_only_what_it_stands_on() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, others in graph().items()
        if not is_top(module)
        for other in others
        if other.partition(".")[0] not in MAY_IMPORT[module.partition(".")[0]]
    ]
    assert wrong == []


def test_nothing_but_the_command_line_imports_the_command_line() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, others in graph().items()
        if not is_top(module)
        for other in others
        if is_top(other)
    ]
    assert wrong == []


def test_there_are_no_circles() -> None:
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        pytest.fail(f"modules that import each other: {error.args[1]}")


def test_imports_are_found_in_every_form_they_are_written_in() -> None:
    found = graph()
    assert "matchers.trailset" in found["matchers.engine"]
    assert "matchers.candidates" in found["matchers.probes"], "from a package, a module"
    assert "trailhound.commands.run" in found["trailhound.cli"]
