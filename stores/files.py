"""Small databases of this host, one SQLite file each: the desk, the outbox, accounts, observables.

Each file tells by its application id whose it is, and by its version which tables it has: one of another program, or of
another version, is refused and left as it is.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from trailhound.errors import StoreDamaged, StoreUnavailable


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file. `name` is what people call it ("the desk"), `remedy` what to do about another version of it.

    `tables` are statements that end in semicolons; `mode` are the permissions of the file.
    """

    name: str
    application_id: int
    version: int
    tables: str
    mode: int
    remedy: str

    def connect(self, path: Path, pragmas: Sequence[str], patience: float) -> sqlite3.Connection:
        """Open the file for all threads of a process, which take turns; make it where its folder is.

        Raises `StoreUnavailable`, `StoreDamaged`, and errors of SQLite.
        """
        self.make(path)
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
        try:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")
            with transaction(connection):
                if not self.is_ours(connection, path):
                    self._make_tables(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def make(self, path: Path) -> None:
        """Make the file before SQLite does, which would let others read it; its -wal takes over the mode.

        Root makes it for the service that owns the folder.
        """
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, self.mode)
        except FileExistsError:
            return
        except OSError as error:
            raise StoreUnavailable(f"{path}: {self.name} cannot be made: {error.strerror}") from error
        try:
            folder = path.parent.stat()
            with suppress(PermissionError):
                os.fchown(file, folder.st_uid, folder.st_gid)
        finally:
            os.close(file)

    def is_ours(self, connection: sqlite3.Connection, path: Path) -> bool:
        """Refuse a file that is another's; False for one that is empty still. Raises `StoreDamaged`."""
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return False
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application != self.application_id:
            raise StoreDamaged(f"{path}: this is a database of another program, {self.name} was expected")
        if version != self.version:
            raise StoreDamaged(
                f"{path}: {self.name} has version {version}, this Trailhound knows version {self.version}:"
                f" {self.remedy}"
            )
        return True

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        for statement in filter(str.strip, self.tables.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {self.application_id}")
        connection.execute(f"PRAGMA user_version = {self.version}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Do all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
