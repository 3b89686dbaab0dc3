"""Mutations happen once: the answer to a `request_id` is kept, in the same transaction as what it did."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Protocol, TypeVar

from google.protobuf.message import Message
from pymongo import InsertOne
from pymongo.errors import BulkWriteError

from chassis.api.calls import current_call
from chassis.api.errors import Aborted, InvalidArgument
from chassis.api.mongo import Store
from chassis.collections import INBOX
from chassis.collisions import is_collision
from chassis.outgoing import Commit
from contracts.egress import FieldError

ATTEMPTS: Final = 3
LONGEST_ID: Final = 128


class Mutation(Protocol):
    """A request of an RPC that changes something (a protobuf message)."""

    request_id: str

    def SerializeToString(self, *, deterministic: bool = ...) -> bytes: ...  # noqa: N802 - protobuf's name


Request = TypeVar("Request", bound=Mutation)
Response = TypeVar("Response", bound=Message)
Decide = Callable[[Request], Awaitable[tuple[Response, Commit]]]


async def once(store: Store, request: Request, response: type[Response], decide: Decide[Request, Response]) -> Response:
    """Decides and commits, or answers what the same `request_id` of the same caller and RPC was answered before.

    `decide` reads what it needs and says answer and commit. It is asked again when a write met a duplicate key:
    somebody else was faster (write a document you have read with its version in the filter and `upsert`, so that a
    stale version collides). Raises InvalidArgument for a missing `request_id` or one used with another content,
    Aborted when others were faster three times.
    """
    key, digest = _key(request), sha256(request.SerializeToString(deterministic=True)).digest()
    for _ in range(ATTEMPTS):
        if kept := await store.db[INBOX].find_one({"_id": key}):
            if kept["digest"] != digest:
                raise InvalidArgument([_wrong(request, "request_id_reused", "was used with another content")])
            return response.FromString(kept["answer"])
        answer, commit = await decide(request)
        row = {"_id": key, "at": datetime.now(UTC), "digest": digest, "answer": answer.SerializeToString()}
        try:
            await store.commit(Commit({**commit.writes, INBOX: [InsertOne(row)]}, commit.outgoing))
        except BulkWriteError as error:
            if not is_collision(error):
                raise
        else:
            return answer
    raise Aborted("changed_meanwhile", "others changed the same thing meanwhile")


def _key(request: Mutation) -> dict[str, str]:
    if not 0 < len(request.request_id) <= LONGEST_ID:
        raise InvalidArgument([_wrong(request, "request_id_required", f"must have 1 to {LONGEST_ID} characters")])
    call = current_call()
    return {"method": call.method, "caller": call.caller.subject, "request_id": request.request_id}


def _wrong(request: Mutation, rule: str, message: str) -> FieldError:
    return FieldError(field="request_id", value=request.request_id, rule=rule, message=message)
