"""What every message model shares."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Whole = Annotated[int, Field(ge=0, lt=2**31)]
"""A whole number as protobuf's int32 carries it; JSON knows larger ones, which no store takes."""


class Contract(BaseModel):
    """A message or a part of one: immutable, and blind to fields it does not know.

    Within a major version only additions are allowed, so an unknown field is a newer sender's, not an error.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
