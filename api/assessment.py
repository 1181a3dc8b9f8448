"""What the API says about what people made of a threat."""

from pydantic import Field

from api.answer import Answer, Time
from stores.desk.contract import TriageState


class Assessment(Answer):
    """What people made of a threat."""

    state: TriageState = Field(
        description="How far somebody has come with it. A resolved threat that happened again since is `new`."
    )
    reopened: bool = Field(description="Whether it was resolved, and has happened again since.")
    note: str
    tags: tuple[str, ...]
    assignee: str
    by: str = Field(description="Who said so; empty when nobody has said anything yet.")
    at: Time | None
    version: int = Field(description="The `ETag` of it, for `If-Match`; 0 when nobody has said anything yet.")
