"""Text and values as logs bring them, made fit for a store."""

from typing import Any


def clean(text: str) -> str:
    """Make text fit for a database: no lone surrogates, no NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def clean_json(value: Any) -> Any:
    """Make a value fit for JSON in UTF-8, however it came in."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {clean_json(str(key)): clean_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean_json(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value)
    return value if value is None or isinstance(value, int | float) else str(value)
