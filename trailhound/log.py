"""What Trailhound says of itself: structured lines on standard error."""

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog

from trailhound.seldom import Seldom
from trailhound.settings import Settings


class _Steadfast:
    """Standard error, but whoever writes to it goes on when it is gone, or when its disk is full."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def configure(settings: Settings) -> None:
    """Set up the form and the least level of what is said, for this process."""
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if as_text else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            Seldom(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *([_visible] if as_text else []),  # JSON escapes by itself.
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level.upper())),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Steadfast())),
    )


def _visible(
    logger: structlog.typing.WrappedLogger,  # noqa: ARG001 - the signature is structlog's
    method: str,  # noqa: ARG001
    event: structlog.typing.EventDict,
) -> structlog.typing.EventDict:
    """Keep names and reasons that come from outside from being commands to the terminal."""
    return {
        key: value.encode("unicode_escape").decode() if isinstance(value, str) and not value.isprintable() else value
        for key, value in event.items()
        if key != "exception"
    } | ({"exception": event["exception"]} if "exception" in event else {})
