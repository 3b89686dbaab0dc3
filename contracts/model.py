"""What every message model shares."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

Whole = Annotated[int, Field(ge=0, lt=2**31)]
"""A whole number as protobuf's int32 carries it; JSON knows larger ones, which no store takes."""

Day = Annotated[date, PlainSerializer(date.isoformat, return_type=str)]
"""A date; text in whatever is made of the model, for BSON knows none and others keep these facts."""


class Contract(BaseModel):
    """A message or a part of one: immutable, and blind to fields it does not know.

    Within a major version only additions are allowed, so an unknown field is a newer sender's, not an error.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
