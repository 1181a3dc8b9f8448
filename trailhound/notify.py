"""Signs of life to the service manager: systemd's protocol, a datagram of `KEY=value` lines to `NOTIFY_SOCKET`.

https://www.freedesktop.org/software/systemd/man/sd_notify.html; the libraries for it are unkept or need a compiler.
"""

import os
import socket
import time
from contextlib import suppress


class Notify:
    """Talks to the service manager that started us; without one, it says nothing. May be used by several threads."""

    def __init__(self) -> None:
        """Take the socket out of the environment: processes that we start shall not talk for us."""
        address = os.environ.pop("NOTIFY_SOCKET", "")
        watched = os.environ.pop("WATCHDOG_USEC", "")
        watched_pid = os.environ.pop("WATCHDOG_PID", "") or str(os.getpid())
        # `@` stands for the zero byte of an abstract address.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._is_watched = watched.isdecimal() and watched_pid == str(os.getpid())
        self._status = ""

    def ready(self) -> None:
        self._say("READY=1")

    def alive(self, status: str) -> None:
        """Say that the main job goes on, and how it is going."""
        lines = ["WATCHDOG=1"] if self._is_watched else []
        if status != self._status:
            self._status = status
            lines.append(f"STATUS={' '.join(status.split())[:500]}")
        if lines:
            self._say(*lines)

    def reloading(self) -> None:
        """Say that settings are being read again; `ready` says that this is done."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self._say("STOPPING=1")

    def _say(self, *lines: str) -> None:
        if not self._address:
            return
        # A service manager that does not listen is no reason to stop, nor to wait for it.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
            to.setblocking(False)  # noqa: FBT003 - the signature is Python's
            to.sendto("\n".join(lines).encode("utf-8", "backslashreplace"), self._address)
