"""Get the genuine Elasticsearch that the tests run against: what its makers publish for integration tests.

Only the standard library is used: it runs before anything else is installed.
"""

# ruff: noqa: T201 - it is a program, and this is its output.

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

VERSION = "8.19.21"
# What was downloaded and found good. Some versions come without a published checksum, so that Maven could not tell.
SHA512 = {
    "8.19.21": "cf6b0a93860d329937ae7f913ec5073b0c726c77639764b93fc83a304aa1dd9d"
    "4defcfa2849948eea3b0b47c2065f994908603939fc2a4774c9c4d868c5ec1dd",
    "9.2.0": "2c624e913bb8712fb1698fc1ab3a241c868228183f089ff3cde17ad7bc7b5a96"
    "63454c2af939c65e075663826371e3d4344dca43a55a8aab9594f9a64b01d2c7",
}
_GROUP = "org.elasticsearch.distribution.integ-test-zip"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
_OLDEST_JAVA = {"8": 17, "9": 21}
_JAVA_OF_DEBIAN = 17  # Debian 12; Maven brings it there.
# A Java cut down by jlink may lack them: the server asks for the first by name, its options for the second.
_NEEDED_MODULES = {"jdk.jlink", "jdk.incubator.vector"}
_WANTED_VERSION = re.compile(r"[89]\.\d{1,3}\.\d{1,3}")


class MissingError(Exception):
    """What is not here and could not be had."""


def folder() -> Path:
    """Give the folder that holds what was got; root's own cache would be closed to the user that the server runs as."""
    if os.geteuid() == 0:
        return Path("/var/cache/trailhound/elasticsearch")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "trailhound", "elasticsearch")


def find(version: str = VERSION) -> tuple[Path, Path]:
    """Give the home of the server and of a Java for it."""
    home = _home(version)
    java = _java(version)
    if not (home / "bin" / "elasticsearch").is_file() or java is None:
        what = f"Elasticsearch {version}" if java else f"Java {_oldest_java(version)} or later"
        raise MissingError(f"no {what} for the tests; deploy/elasticsearch-for-tests --version {version} gets it")
    return home, java


def get(version: str = VERSION) -> tuple[Path, Path]:
    """Get what is not here yet, and give what `find` gives."""
    home = _home(version)
    if not (home / "bin" / "elasticsearch").is_file():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent, prefix=".getting-") as fresh:
            archive = _download(version, Path(fresh))
            _verify(archive, version)
            _unpack(archive, home)
    if _java(version) is None:
        _install_java(_oldest_java(version))
    return find(version)


def _home(version: str) -> Path:
    if not _WANTED_VERSION.fullmatch(version):
        raise MissingError(f"{version!r} is no version of Elasticsearch 8 or 9, such as {VERSION}")
    return folder() / f"elasticsearch-{version}"


def _oldest_java(version: str) -> int:
    return _OLDEST_JAVA[version.partition(".")[0]]


def _java(version: str) -> Path | None:
    return next((home for home in _javas() if _release(home) >= _oldest_java(version)), None)


def _javas() -> Iterator[Path]:
    yield from (Path(os.environ[name]) for name in ("ES_JAVA_HOME", "JAVA_HOME") if os.environ.get(name))
    program = shutil.which("java")
    if program:
        yield Path(program).resolve().parents[1]
    yield from sorted(Path("/usr/lib/jvm").glob("*"))


def _release(home: Path) -> int:
    """Give the feature release of a Java, 0 when it is none, or one without modules that the server needs."""
    program = home / "bin" / "java"
    if not program.is_file():
        return 0
    done = subprocess.run([program, "--list-modules"], capture_output=True, text=True, check=False, timeout=60)
    modules = dict(line.partition("@")[::2] for line in done.stdout.split())
    whole = modules.keys() >= _NEEDED_MODULES
    return int(modules["java.base"].partition(".")[0]) if whole else 0


def _download(version: str, into: Path) -> Path:
    maven = shutil.which("mvn") or _install_maven()
    # Without a checksum of ours the published one has to be there, and right.
    checksums = "--lax-checksums" if version in SHA512 else "--strict-checksums"
    artifact = f"-Dartifact={_GROUP}:elasticsearch:{version}:zip"
    command = [
        maven,
        "--quiet",
        "--batch-mode",
        "--color=never",
        checksums,
        _COPY,
        artifact,
        f"-DoutputDirectory={into}",
    ]
    print(f"Getting Elasticsearch {version} (100 MB) with Maven.", flush=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    archive = into / f"elasticsearch-{version}.zip"
    if done.returncode or not archive.is_file():
        said = (done.stdout + done.stderr).strip().partition("\n")[0]
        raise MissingError(f"Maven did not bring {_GROUP}:elasticsearch:{version}: {said}")
    return archive


def _verify(archive: Path, version: str) -> None:
    expected = SHA512.get(version)
    with archive.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha512").hexdigest()
    if expected is not None and found != expected:
        raise MissingError(f"the archive of Elasticsearch {version} has SHA-512 {found}, expected {expected}")


def _unpack(archive: Path, home: Path) -> None:
    """Unpack beside the place and rename, so that a home is whole or not there."""
    fresh = archive.parent / "unpacked"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(fresh)
    (unpacked,) = fresh.iterdir()
    for path in (unpacked, *unpacked.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    if not home.exists():
        unpacked.rename(home)
    home.parent.chmod(0o755)


def _install_maven() -> str:
    _install("maven")
    return shutil.which("mvn") or "mvn"


def _install_java(oldest: int) -> None:
    if oldest > _JAVA_OF_DEBIAN:
        raise MissingError(f"no Java {oldest} or later, whole, for Elasticsearch; install it, or set ES_JAVA_HOME")
    _install(f"openjdk-{_JAVA_OF_DEBIAN}-jre-headless")


def _install(package: str) -> None:
    """Install a package of Debian, where that is allowed."""
    as_root = _as_root()
    if as_root is None or not shutil.which("apt-get"):
        raise MissingError(f"no {package}, which gets or runs Elasticsearch; install it")
    print(f"Installing {package} for Elasticsearch.", flush=True)
    for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", package]):
        command = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MissingError(f"apt-get {arguments[0]} failed: {done.stderr.strip()[-500:]}")


def _as_root() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    try:
        allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return None
    return ["sudo", "-n"] if allowed else None


def main() -> int:
    parser = argparse.ArgumentParser(prog="elasticsearch-for-tests", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--version", default=VERSION, help="an Elasticsearch 8 or 9 (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        home, java = get(arguments.version)
    except (MissingError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Elasticsearch {arguments.version} is in {home}; its Java is {java}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
