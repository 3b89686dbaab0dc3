"""What happens around every RPC: metrics, then who calls, then how long it may take, then the audit, then errors.

One interceptor does it all: five nested ones would wrap five handlers around each call.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Never

import grpc
import pymongo
from grpc import HandlerCallDetails
from grpc.aio import ServicerContext
from grpc_status import rpc_status

from chassis import metrics
from chassis.api.audit import Audit
from chassis.api.auth import ANONYMOUS, PUBLIC, Access, Tokens
from chassis.api.calls import Call, Metadata, correlation_id, set_current, traceparent
from chassis.api.errors import Denied, Failure, Unauthenticated, failure_of, status_of
from chassis.caller import Caller
from chassis.logs import log_context
from chassis.settings import Settings

log = logging.getLogger(__name__)

EXEMPT: Final = ("/grpc.health.v1.Health/", "/grpc.reflection.v1alpha.ServerReflection/")
"""Answered without a token: probes and tools have none, and are told nothing of the data."""

SHORTEST_S: Final = 0.001
"""PyMongo reads a timeout of 0 as none at all."""

MARGIN_S: Final = 1.0
"""Kept back from a caller's deadline (a fifth of it at most), so that it is told why rather than cut off: under a
timeout PyMongo looks for a lost server until the very end, and half a second beyond."""

Context = ServicerContext[Any, Any]
Handler = Any
"""A `grpc.RpcMethodHandler`: its stubs know only the synchronous kind."""
Answer = Callable[[Any, Context], Awaitable[Any]]


class Gate(grpc.aio.ServerInterceptor):
    """Guards every RPC of the access table; one that is neither there nor exempt is not served."""

    def __init__(self, access: Mapping[str, Access], tokens: Tokens, audit: Audit, settings: Settings) -> None:
        self._access = access
        self._tokens = tokens
        self._audit = audit
        self._settings = settings
        self._guarded: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: HandlerCallDetails,
    ) -> Handler | None:
        """The guarded handler of the method called; made once, since it depends on nothing in the call."""
        method = handler_call_details.method
        if method in self._guarded:
            return self._guarded[method]
        handler = await continuation(handler_call_details)
        if handler is None or method.startswith(EXEMPT):
            return handler
        if method not in self._access:
            return None
        self._guarded[method] = self._guard(method, handler)
        return self._guarded[method]

    def _guard(self, method: str, handler: Handler) -> Handler:
        codec = (handler.request_deserializer, handler.response_serializer)
        if handler.response_streaming:
            guarded = Guarded(self, method, self._access[method], _streamed(handler.unary_stream), streams=True)
            return grpc.unary_stream_rpc_method_handler(guarded.serve, *codec)
        guarded = Guarded(self, method, self._access[method], handler.unary_unary)
        return grpc.unary_unary_rpc_method_handler(guarded.serve, *codec)

    def caller(self, access: Access, metadata: Metadata) -> Caller:
        """Who calls. Raises Unauthenticated or Denied."""
        scheme, _, token = str(metadata.get("authorization", "")).partition(" ")
        if not token and PUBLIC in access.roles:
            return ANONYMOUS
        if not token or scheme.lower() != "bearer":
            raise Unauthenticated("token_missing", "metadata lacks authorization: Bearer <token>")
        caller = self._tokens.caller(token)
        if not access.admits(caller):
            raise Denied("role", f"a {caller.role} may not call this", {"role": caller.role})
        return caller

    def seconds(self, remaining: float | None) -> float:
        """How long the store may take, given what remains until the caller's deadline (None: it set none)."""
        if remaining is None:
            return self._settings.deadline_s
        told = remaining - min(MARGIN_S, remaining / 5)
        return max(min(told, self._settings.max_deadline_s), SHORTEST_S)

    def written(self, call: Call, request: Any) -> asyncio.Future[None]:
        """Done when the call is in the audit."""
        return self._audit.write(call, request)


class Guarded:
    """One RPC behind the gate; what does not change from call to call is looked up once."""

    def __init__(self, gate: Gate, method: str, access: Access, answer: Answer, streams: bool = False) -> None:
        self._gate = gate
        self._method = method
        self._access = access
        self._answer = answer
        self._streams = streams
        self._open = metrics.CALLS_OPEN.labels(method)
        self._seconds = metrics.CALL_SECONDS.labels(method)

    async def serve(self, request: Any, context: Context) -> Any:
        """Answers one call, or aborts it with a status that has details."""
        started = time.perf_counter()
        self._open.inc()
        code = grpc.StatusCode.CANCELLED
        metadata = dict(context.invocation_metadata() or ())
        call = Call(self._method, context.peer(), correlation_id(metadata), traceparent(metadata))
        try:
            with log_context(correlation_id=call.correlation_id, traceparent=call.traceparent):
                try:
                    response = await self._admitted(call, metadata, request, context)
                    code = grpc.StatusCode.OK
                    return response
                except Exception as error:
                    failure = _told(error, call)
                    code = failure.code
                    await _abort(context, failure)
        finally:
            self._open.dec()
            self._seconds.observe(time.perf_counter() - started)
            metrics.CALLS.labels(self._method, code.name).inc()

    async def _admitted(self, call: Call, metadata: Metadata, request: Any, context: Context) -> Any:
        call = call.by(self._gate.caller(self._access, metadata))
        set_current(call)
        with pymongo.timeout(self._gate.seconds(context.time_remaining())):
            if self._access.audited:
                return await self._audited(call, request, context)
            return await self._answer(request, context)

    async def _audited(self, call: Call, request: Any, context: Context) -> Any:
        """Answers, and is written down meanwhile; nothing leaves before the row is there, failures neither."""
        written = self._gate.written(call, request)
        if self._streams:
            await written
        try:
            return await self._answer(request, context)
        finally:
            await written


def _told(error: Exception, call: Call) -> Failure:
    """The failure to answer with; one that we did not foresee is logged in full, since the caller learns nothing."""
    failure = failure_of(error, call.correlation_id)
    if failure.code is grpc.StatusCode.INTERNAL:
        log.error("call failed", exc_info=error, extra={"method": call.method})
    if isinstance(failure, Denied | Unauthenticated):
        log.info("refused", extra={"method": call.method, "reason": failure.reason, "peer": call.peer})
    return failure


async def _abort(context: Context, failure: Failure) -> Never:
    await context.abort_with_status(rpc_status.to_status(status_of(failure)))


def _streamed(answer: Callable[[Any, Context], Any]) -> Answer:
    """A stream as one awaitable, so that what is set around it is undone in the task that set it."""

    async def write_all(request: Any, context: Context) -> None:
        async for response in answer(request, context):
            await context.write(response)

    return write_all
