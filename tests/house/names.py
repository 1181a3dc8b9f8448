"""The guard of our import names: they are plain words, which other distributions could have too.

Run by itself it says what it finds, and fails when that is something.
"""

import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import packages_distributions

NAMES = ("trailhound", "ingest", "matchers", "feeds", "stores", "api", "kibana", "zeek_scripts")
OURS = "trailhound"


def foreign(names: Iterable[str] = NAMES) -> Mapping[str, set[str]]:
    """Give the distributions other than ours that bring one of our import names into this environment."""
    owners = packages_distributions()
    found = {name: set(owners.get(name, ())) - {OURS} for name in names}
    return {name: others for name, others in found.items() if others}


if __name__ == "__main__":
    strangers = foreign()
    for name, others in strangers.items():
        print(f"{name}: also brought by {', '.join(sorted(others))}")  # noqa: T201 - this is its output
    sys.exit(bool(strangers))
