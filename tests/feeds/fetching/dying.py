"""Put a new copy in force, and die at a certain change to the file system: the real shelf, killed for real.

python -m tests.feeds.fetching.dying FOLDER CHANGE

It dies before the CHANGE-th change, and says so by its signal; when there are fewer it ends well.
"""

import os
import signal
import sys
from pathlib import Path

from feeds.parts import Part, address_of
from feeds.shelf import Shelf

OLD, NEW = (b"old.example\n", b"kept.example\n"), (b"new.example\n", b"kept.example\n")
NAME = "evil"
_CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.chmod", "os.chown", "shutil.")


def work(shelf: Shelf, documents: tuple[bytes, ...], now: int) -> None:
    """Bring documents into force, as an update does; the second one is kept where there is a copy."""
    with shelf.alone():
        draft = shelf.draft(NAME)
        for number, content in enumerate(documents):
            old = draft.old.at(address_of(f"url{number}")) if draft.old is not None and number else None
            if old is not None:
                draft.keep(old)
                continue
            file = draft.next_file
            with draft.writing(file) as stream:
                stream.write(content)
            draft.add(Part(file, address_of(f"url{number}"), len(content), f"{content!r}", fetched=now))
        draft.seal()
        candidate = shelf.candidate(NAME)
        assert candidate is not None
        candidate.accept(now)


def _arm(last: int) -> None:
    count = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        opens_to_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if opens_to_write or event.startswith(_CHANGES):
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


if __name__ == "__main__":
    _arm(int(sys.argv[2]))
    work(Shelf(Path(sys.argv[1])), NEW, 2)
