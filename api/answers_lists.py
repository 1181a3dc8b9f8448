"""Answers to bouncers, as CrowdSec's local API gives them."""

from pydantic import Field

from api.answer import Answer, example


class BouncerDecision(Answer):
    """One address or range to block."""

    model_config = example(
        id=4503599627370497,
        uuid="8a2e70be1c0f4a6d9b3f5e7d1c2b3a49",
        origin="trailhound",
        type="ban",
        scope="Ip",
        value="45.155.205.233",
        duration="23h59m12s",
        scenario="trailhound/mass scanner",
        simulated=False,
    )

    id: int = Field(description="The same for the same value.")
    uuid: str
    origin: str
    type: str
    scope: str = Field(description="`Ip` or `Range`.")
    value: str
    duration: str = Field(description="How long from now, as Go writes it.")
    scenario: str
    simulated: bool


class BouncerStream(Answer):
    """What is new to this bouncer, and what it shall forget."""

    new: tuple[BouncerDecision, ...]
    deleted: tuple[BouncerDecision, ...]
