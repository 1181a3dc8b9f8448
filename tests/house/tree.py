"""What of the tree the house rules look at."""

import ast
import configparser
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("trailhound", "ingest", "matchers", "feeds", "stores", "api", "kibana", "zeek_scripts")


@cache
def files() -> tuple[str, ...]:
    """List the files of the project, relative to its root: what git has, or would take; without git, everything."""
    if (ROOT / ".git").exists():
        command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    else:
        listed = list(_walk())
    return tuple(sorted(name for name in listed if name and (ROOT / name).is_file()))


def _walk() -> Iterator[str]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in ("build", "dist")]
        folders[:] = [name for name in folders if not name.endswith(".egg-info") and name != "__pycache__"]
        yield from (str(Path(folder, name).relative_to(ROOT)) for name in names)


def python_files(*folders: str) -> list[str]:
    """List Python files, of some top folders or of all."""
    found = [name for name in files() if name.endswith(".py")]
    return [name for name in found if name.partition("/")[0] in folders] if folders else found


@cache
def syntax(name: str) -> ast.Module:
    return ast.parse(text(name), name)


@cache
def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def module_of(name: str) -> str:
    """Give the import name of a file: `api/routes/__init__.py` is `api.routes`."""
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read_string(text("setup.cfg"))
    return parser
