"""What the API answers about what is sent out."""

from pydantic import Field

from api.answer import Answer, Time, example

_TIME = "2026-02-01T12:00:00.000000Z"


class TargetAnswer(Answer):
    """How one target does; counts are of all time."""

    name: str
    waiting: int = Field(description="Events that wait for it.")
    oldest: Time | None = Field(description="Since when the oldest of them waits.")
    dead: int = Field(description="Events among its dead letters.")
    delivered: int
    skipped: int = Field(description="Events that were of no use to it, such as values that a MISP does not know.")
    quiet: int = Field(description="Events that followed another of their threat (`quiet_minutes`).")
    dropped: int = Field(description="Events that found its queue full (`max_waiting`).")
    buried: int = Field(description="Events that went to its dead letters.")
    failures: int = Field(description="How often it failed in a row.")
    last_delivery: Time | None
    problem: str = Field(description="What is wrong with it; empty: nothing.")
    problem_at: Time | None
    resume: Time | None = Field(description="When it is tried again, while it is left alone.")


class OutboxAnswer(Answer):
    """How all targets do."""

    model_config = example(
        targets=[
            {
                "name": "soc-slack",
                "waiting": 3,
                "oldest": _TIME,
                "dead": 0,
                "delivered": 1200,
                "skipped": 0,
                "quiet": 41,
                "dropped": 0,
                "buried": 0,
                "failures": 2,
                "last_delivery": _TIME,
                "problem": "https://soc.example/hook: answers 503 Service Unavailable",
                "problem_at": _TIME,
                "resume": _TIME,
            }
        ]
    )

    targets: tuple[TargetAnswer, ...]


class DeadLetterAnswer(Answer):
    """An event that a target did not get."""

    event: str
    queued: Time
    died: Time
    reason: str


class DeadLettersAnswer(Answer):
    """The latest dead letters of a target."""

    model_config = example(
        letters=[
            {
                "event": "68dc71c0a1b2c3d4e5f60718293a4b5c",
                "queued": _TIME,
                "died": _TIME,
                "reason": "https://soc.example/hook: answers 413 Content Too Large",
            }
        ]
    )

    letters: tuple[DeadLetterAnswer, ...]


class RetriedAnswer(Answer):
    """How many events wait again."""

    model_config = example(retried=3)

    retried: int
