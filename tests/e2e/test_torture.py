"""Writers that rotate, compress and cut; kills at every boundary: whatever happens, every line is counted once."""

import os
import random
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.e2e.installation import Installation
from tests.torture.lives import Torture
from tests.torture.mortal import BOUNDARIES

KILLS = {"short": len(BOUNDARIES) + 3, "full": 200}
LONGEST_LIFE = {"short": 0.7, "full": 2.5}
SEED = "TORTURE_SEED"  # A variable of the environment: the seed to run with again.


@pytest.mark.torture
def test_a_run_that_is_killed_again_and_again_counts_every_line_once(
    trails: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    form = request.config.getoption("--torture")
    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(1 << 30))
    # Not pytest's, which would throw it away: all that tells of a failure is in it.
    place = Path(tempfile.mkdtemp(prefix="trailhound-torture-"))
    report = [
        f"again: {SEED}={seed} python -m pytest -m torture --torture={form} tests/e2e/{Path(__file__).name}",
        f"all files, and journals of what was written: {place}",
    ]
    torture = Torture(Installation(place, trails), seed, KILLS[form], longest_life=LONGEST_LIFE[form])
    try:
        verdict = torture.run()
    except BaseException:
        print("\n".join(report))  # noqa: T201 - shown since it failed
        raise
    with capsys.disabled():
        print(f"\n{verdict} (seed {seed})")  # noqa: T201 - the result, also when it is good
    report.append("ends: " + ", ".join(f"{number} {end}" for end, number in sorted(torture.met.items())))
    assert verdict.is_good, "\n".join([str(verdict), *verdict.wrong, *report])
    shutil.rmtree(place)
