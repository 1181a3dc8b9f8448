"""Passwords: how long, and how they are kept (argon2id, with the parameters that RFC 9106 gives for little memory)."""

import secrets
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import RFC_9106_LOW_MEMORY

from trailhound.errors import AccessError

MIN_LENGTH = 12
MAX_LENGTH = 256
_RANDOM_BYTES = 15  # 120 bits, 20 characters.
_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
# Each takes 64 MiB and a core: so many log-ins at once cannot take more than two of them.
_turns = BoundedSemaphore(2)


def generate() -> str:
    return secrets.token_urlsafe(_RANDOM_BYTES)


def hashed(password: str) -> str:
    """Give what is kept of a password. Raises `AccessError` when it is too short or too long."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise AccessError(f"a password of {MIN_LENGTH} to {MAX_LENGTH} characters was expected, not {len(password)}")
    with _turns:
        return _hasher.hash(password)


def is_right(kept: str | None, password: str) -> bool:
    """Compare. Takes as long for a user who does not exist (None) as for one who does."""
    with _turns:
        try:
            _hasher.verify(kept or _nobodys(), password[: MAX_LENGTH + 1])
        except (Argon2Error, InvalidHashError):
            return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Tell whether it was made with other parameters than we would take now."""
    return _hasher.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_urlsafe(_RANDOM_BYTES))
