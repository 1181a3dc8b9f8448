"""Coverage-guided fuzzing of readers and engine, for whoever has atheris installed.

python -m tests.fuzz.atheris_readers [options of libFuzzer] [folder of inputs]

The first byte of an input picks the format, the second the name of the log; the rest is the file.
"""

import importlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

LOGS = ("dns", "http", "conn", "ssl", "files", "x509", "quic", "alert")


def main() -> None:
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["ingest", "matchers", "trailhound"]):
        # What is imported before cannot be watched.
        checks, seeds = map(importlib.import_module, ("tests.fuzz.checks", "tests.fuzz.seeds"))

    def one_input(data: bytes) -> None:
        if len(data) > 2:
            checks.check(checks.FORMATS[data[0] % len(checks.FORMATS)], data[2:], LOGS[data[1] % len(LOGS)])

    with TemporaryDirectory() as folder:
        for number, (format_, seed) in enumerate(seeds.SEEDS):
            Path(folder, str(number)).write_bytes(bytes((checks.FORMATS.index(format_), 0)) + seed)
        atheris.Setup([*sys.argv, folder], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
