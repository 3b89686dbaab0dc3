"""What every message model shares."""

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """A message or a part of one: immutable, and blind to fields it does not know.

    Within a major version only additions are allowed, so an unknown field is a newer sender's, not an error.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
