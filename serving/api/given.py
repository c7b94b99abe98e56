"""What a client sends as an object of JSON, and how much of it is looked at."""

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

MOST_FIELDS = 20  # of one object; ours have at most 8


class Given(BaseModel):
    """A field that isn't known is a mistake each; of an object with far too many none is looked at.

    Its lists fail fast and have a maximum: pydantic makes 1.5 KB of each mistake.
    """

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, sent: object) -> object:
        if isinstance(sent, dict) and len(sent) > MOST_FIELDS:
            raise PydanticCustomError(
                "too_many_fields",
                "it has {sent} fields, and none has more than {most}",
                {"sent": f"{len(sent):,}", "most": MOST_FIELDS},
            )
        return sent
