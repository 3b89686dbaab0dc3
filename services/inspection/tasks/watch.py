"""Tasks as they change, for `WatchTasks`: a change stream that resumes where an earlier one ended."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextvars import Context
from typing import Any, Final, cast

from pymongo.errors import OperationFailure

from chassis.api.errors import FailedPrecondition, InvalidArgument
from contracts import rules
from services.inspection.documents import Document, Task

LOOK_S: Final = 0.3
"""Between two looks. A look ends at once: one that waited would keep a thread of motor's pool for each watcher."""

LOOK_MS: Final = 20
BEAT_S: Final = 20.0
"""A quiet stream still says where it is: no proxy takes it for dead, and its token does not grow old."""

TOO_OLD: Final = frozenset({136, 280, 286})
"""MongoDB's codes for a token that the history no longer holds."""


async def changes(
    collection: Any, pipeline: list[Document], resume_token: str
) -> AsyncIterator[tuple[Task | None, str]]:
    """Tasks with the token to go on behind each; None with the token of now at first, and when all is quiet.

    Raises InvalidArgument for what is no token, FailedPrecondition `token_expired` for one that is too old.
    """
    after = _decoded(resume_token) if resume_token else None
    stream = collection.watch(pipeline, full_document="updateLookup", resume_after=after, max_await_time_ms=LOOK_MS)
    try:
        change = await _look(stream)
        yield None, resume_token or _encoded(stream.resume_token)
        told = time.monotonic()
        while True:
            if change is not None:
                yield cast(Task, change["fullDocument"]), _encoded(change["_id"])
                told = time.monotonic()
            elif time.monotonic() - told > BEAT_S:
                yield None, _encoded(stream.resume_token)
                told = time.monotonic()
            else:
                await asyncio.sleep(LOOK_S)
            change = await _look(stream)
    finally:
        await stream.close()


async def _look(stream: Any) -> Document | None:
    """The next change, if there is one. In a context of its own: the call's deadline must not end the stream."""
    try:
        found: Document | None = await asyncio.create_task(stream.try_next(), context=Context())
    except OperationFailure as error:
        if error.code in TOO_OLD:
            raise FailedPrecondition("token_expired", "the history no longer reaches back to this token") from error
        raise
    return found


def _encoded(token: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(dict(token)).encode()).decode().rstrip("=")


def _decoded(token: str) -> Document:
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("_data"), str) or not _is_hex(found["_data"]):
        raise InvalidArgument([rules.error("resume_token", token, "invalid_value")])
    return {"_data": found["_data"]}


def _is_hex(text: str) -> bool:
    try:
        return bool(bytes.fromhex(text))
    except ValueError:
        return False
