"""Empty the part of the outbox that is for one target, with growing pauses while it does not answer."""

import logging
import random
import threading
from collections.abc import Callable, Sequence

from api.sending.follow import Clock, wall_clock
from api.sending.letters import Letter
from api.sending.outbox import Outbox
from api.sending.outcome import Refused
from api.sending.targets.target import Target
from trailhound import sending
from trailhound.errors import SendError, SettingsError, StoreError
from trailhound.record import MICROSECONDS

logger = logging.getLogger(__name__)
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 600.0
MOST_TRIES = 5
_IDLE = 1.0
_STORE_PAUSE = 5.0
_REFUSAL_PAUSE = 60.0  # Of one message; each further one is four times as long.
_MANY_REFUSALS = 10  # In a row: it is the target, or our settings, and not the messages.
_DAY = 86_400 * MICROSECONDS
_MINUTE = 60.0


class Worker:
    """Sends to one target; for one thread. `make` opens the target, anew after each failure."""

    def __init__(
        self,
        name: str,
        settings: sending.Target,
        make: Callable[[], Target],
        outbox: Outbox,
        *,
        clock: Clock = wall_clock,
    ) -> None:
        self._name = name
        self._make = make
        self._outbox = outbox
        self._clock = clock
        self._spacing = _MINUTE / settings.per_minute if settings.per_minute else 0.0
        self._patience = int(settings.give_up_days * _DAY)
        self._patience_words = f"not delivered within {settings.give_up_days:g} days"
        self._target: Target | None = None
        self._failures = 0
        self._refusals = 0
        self._problem = ""

    def run(self, stop: threading.Event, bell: threading.Event) -> None:
        """Send until stopped; `bell` rings when something was queued."""
        pause = self._resume()
        while not stop.is_set():
            if pause == _IDLE:
                bell.wait(pause)
                bell.clear()
            elif stop.wait(pause):
                break
            try:
                pause = self.step()
            except StoreError as error:
                logger.warning("Sending to %s waits for the outbox: %s", self._name, error)
                pause = _STORE_PAUSE
        self._close()

    def step(self) -> float:
        """Send once what is due; give after how many seconds to look again."""
        now = self._clock()
        words = f"{self._patience_words}: {self._problem}" if self._problem else self._patience_words
        given_up = self._outbox.give_up(self._name, now - self._patience, words, now)
        if given_up:
            logger.error("%d events for %s went to its dead letters: %s", given_up, self._name, words)
        try:
            target = self._open()
            letters = self._outbox.due(self._name, now, target.batch)
            if not letters:
                return _IDLE
            skipped = self._send(target, letters)
        except Refused as error:
            return self._refused(letters, error)
        except (SendError, SettingsError) as error:
            return self._failed(error)
        self._done(letters, skipped)
        return self._spacing * len(letters)

    def _send(self, target: Target, letters: Sequence[Letter]) -> int:
        """Send; an event that cannot be written, whatever the reason, must not hold up the others."""
        try:
            return target.send([letter.document for letter in letters])
        except SendError:
            raise
        except Exception as error:
            logger.exception("An event for %s cannot be written", self._name)
            raise Refused(f"it cannot be written: {type(error).__name__}") from error

    def _done(self, letters: Sequence[Letter], skipped: int) -> None:
        if self._failures:
            logger.info("%s takes events again", self._name)
        self._failures = self._refusals = 0
        self._problem = ""
        self._outbox.delivered(self._name, letters, self._clock(), skipped=skipped)

    def _failed(self, error: SendError | SettingsError) -> float:
        """Leave the target alone: twice as long each time, spread, so that not all sites come back at once."""
        self._close()
        growing = min(FIRST_PAUSE * float(1 << min(self._failures, 20)), LONGEST_PAUSE)
        pause = max(growing * random.uniform(0.5, 1.5), getattr(error, "after", 0.0))  # noqa: S311
        if not self._failures:
            logger.warning("Nothing can be sent to %s: %s", self._name, error)
        self._failures += 1
        self._problem = str(error)
        now = self._clock()
        resume = now + int(pause * MICROSECONDS)
        self._outbox.failed(self._name, self._problem, now, failures=self._failures, resume=resume)
        return pause

    def _refused(self, letters: Sequence[Letter], error: Refused) -> float:
        """Find out which of several letters is not taken; try that one a few times, far apart, then bury it."""
        if len(letters) > 1:
            return self._one_by_one(letters)
        self._put_off(letters[0], error)
        if self._refusals < _MANY_REFUSALS:
            return self._spacing
        return self._failed(error)

    def _one_by_one(self, letters: Sequence[Letter]) -> float:
        for letter in letters:
            try:
                skipped = self._send(self._open(), [letter])
            except Refused as error:
                self._put_off(letter, error)
                if self._refusals >= _MANY_REFUSALS:
                    return self._failed(error)
            except (SendError, SettingsError) as error:
                return self._failed(error)
            else:
                self._done([letter], skipped)
        return self._spacing * len(letters)

    def _put_off(self, letter: Letter, error: Refused) -> None:
        now = self._clock()
        self._refusals += 1
        self._problem = str(error)
        if letter.tries + 1 >= MOST_TRIES:
            logger.error(
                "%s does not take event %s, which goes to its dead letters: %s", self._name, letter.event, error
            )
            self._outbox.bury(self._name, letter, str(error), now)
        else:
            due = now + int(_REFUSAL_PAUSE * 4**letter.tries * MICROSECONDS)
            self._outbox.put_off(self._name, letter, str(error), now, due)

    def _resume(self) -> float:
        """Go on with the pause in which we were ended."""
        try:
            status = next((one for one in self._outbox.statuses() if one.name == self._name), None)
        except StoreError:
            return _STORE_PAUSE
        if status is None:
            return 0.0
        self._failures, self._problem = status.failures, status.problem
        return min(max(0, status.resume - self._clock()) / MICROSECONDS, LONGEST_PAUSE)

    def _open(self) -> Target:
        if self._target is None:
            self._target = self._make()
        return self._target

    def _close(self) -> None:
        if self._target is not None:
            self._target.close()
            self._target = None
