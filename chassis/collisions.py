"""Two processes that write the same rows at once: the slower one meets a duplicate key, reads again, decides again.

A document that was read is written with its version in the filter and `upsert`, so that a stale version collides too.
"""

from typing import Final

from pymongo.errors import BulkWriteError

ATTEMPTS: Final = 5
"""Times a decision is made before the collision counts as an error."""
DUPLICATE_KEY: Final = 11000


def is_collision(error: BulkWriteError) -> bool:
    """Whether a write met a key that is there already."""
    return any(write["code"] == DUPLICATE_KEY for write in error.details["writeErrors"])
