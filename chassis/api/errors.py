"""Failures a servicer raises, and what becomes of every failure: one status with google.rpc details.

`reason` and `rule` are ids of our own vocabulary, the same on the bus and here; messages are for developers.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode
from pymongo.errors import ConnectionFailure, PyMongoError, ServerSelectionTimeoutError

from contracts.egress import FieldError

DOMAIN: Final = "shilian"
DETAILS_KEY: Final = "grpc-status-details-bin"

MOST_FIELDS: Final = 20
LONGEST_TEXT: Final = 200
"""Wrong fields told, and characters of each text: a status travels in a header, and gRPC takes 16 KiB of those."""


class Failure(Exception):
    """An answer that is not OK: its status, why, what to know about it, and which fields are wrong."""

    code = StatusCode.INTERNAL

    def __init__(
        self,
        reason: str,
        message: str,
        metadata: Mapping[str, str] | None = None,
        fields: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})
        self.fields = tuple(fields)


class InvalidArgument(Failure):
    """Fields of the request are wrong; `reason` is the rule of the first."""

    code = StatusCode.INVALID_ARGUMENT

    def __init__(self, fields: Sequence[FieldError]) -> None:
        super().__init__(fields[0].rule, "; ".join(f"{error.field}: {error.message}" for error in fields), {}, fields)


class NotFound(Failure):
    """There is none, or none the caller may see: the two read alike."""

    code = StatusCode.NOT_FOUND

    def __init__(self, kind: str, id: str) -> None:
        super().__init__("not_found", f"no {kind} {id}", {"kind": kind, "id": id})


class FailedPrecondition(Failure):
    """The state of things forbids it."""

    code = StatusCode.FAILED_PRECONDITION


class Aborted(Failure):
    """Others changed the same thing meanwhile; trying again may work."""

    code = StatusCode.ABORTED


class Denied(Failure):
    """The caller is known and may not."""

    code = StatusCode.PERMISSION_DENIED


class Unauthenticated(Failure):
    """Who calls is not known."""

    code = StatusCode.UNAUTHENTICATED


class DeadlineExceeded(Failure):
    """Time ran out."""

    code = StatusCode.DEADLINE_EXCEEDED


class Unavailable(Failure):
    """The store is away; trying again later works."""

    code = StatusCode.UNAVAILABLE


def failure_of(error: Exception, correlation_id: str) -> Failure:
    """The failure that answers an exception. What we did not foresee says nothing but where to look it up."""
    match error:
        case Failure():
            return error
        case ServerSelectionTimeoutError():
            return Unavailable("store_away", "the store is away")
        case PyMongoError(timeout=True):
            return DeadlineExceeded("deadline_exceeded", "time ran out in the store")
        case ConnectionFailure():
            return Unavailable("store_away", "the store is away")
        case _:
            return Failure("internal", "internal error", {"correlation_id": correlation_id})


def status_of(failure: Failure) -> Status:
    """The failure as google.rpc.Status with ErrorInfo and, when fields are wrong, BadRequest."""
    known = {name: value[:LONGEST_TEXT] for name, value in failure.metadata.items()}
    details: list[Message] = [ErrorInfo(reason=failure.reason, domain=DOMAIN, metadata=known)]
    if failure.fields:
        details.append(BadRequest(field_violations=map(_violation, failure.fields[:MOST_FIELDS])))
    number: int = failure.code.value[0]
    return Status(code=number, message=failure.message[:LONGEST_TEXT], details=map(_packed, details))


def _violation(error: FieldError) -> BadRequest.FieldViolation:
    return BadRequest.FieldViolation(
        field=error.field[:LONGEST_TEXT], description=error.message[:LONGEST_TEXT], reason=error.rule
    )


def _packed(message: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed
