"""Commands that change what a running Trailhound works with, and so want to be alone."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from trailhound.commands import prepare
from trailhound.errors import SettingsError
from trailhound.settings import Settings


@contextmanager
def alone(settings: Settings, what: str) -> Iterator[None]:
    """Hold the state directory, as `run` does. Raises `SettingsError` that says `what` has to wait for it to end."""
    prepare.state_directory(settings)
    with ExitStack() as stack:
        try:
            stack.enter_context(prepare.sole_run(settings))
        except SettingsError as error:
            raise SettingsError(
                f"{settings.state_dir}: Trailhound is at work on this state directory; stop it before {what}"
            ) from error
        yield
