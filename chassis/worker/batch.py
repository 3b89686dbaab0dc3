"""What happens to one batch: parse once, call the handler, hold through outages, spare the good from the poison."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import eventlet
from pydantic import ValidationError

from chassis import memory, metrics
from chassis.logs import envelope_context, exception_text, log_context, named
from chassis.message import ATTEMPT, ROUTING_KEY, Message, RawMessage, dead_letter, safe_headers, short_id
from chassis.outgoing import Outgoing, outgoing
from chassis.settings import Settings
from chassis.worker.delivery import Delivery
from chassis.worker.mongo import is_away
from chassis.worker.publisher import BrokerAway, Publisher
from contracts.egress import FieldError, Outcome, Verdict, VerdictsV1
from contracts.model import Contract
from contracts.rules import error, validation_errors
from contracts.topology import RETRY_LADDER, Queue

log = logging.getLogger(__name__)

BACKOFF_S = (0.02, 0.1, 0.3, 1.0, 2.0, 5.0)
RUNGS = tuple(RETRY_LADDER)
TRACE_KEPT = 8_000
"""Characters of what a poison message raised, the last of them, in one header of its dead letter."""

MAX_BYTES = 16 << 20
"""A bundle is at most a quarter of it; what is larger was not made by one of ours."""


class Parsed(NamedTuple):
    """A message beside its raw form, which the ladder and the dead-letter queue keep."""

    raw: RawMessage
    message: Any


class BatchRunner:
    """Carries batches of one queue through its handler."""

    def __init__(
        self,
        queue: Queue,
        models: Mapping[str, type[Contract]] | None,
        publisher: Publisher,
        call: Callable[[list[Any]], None],
        settings: Settings,
    ) -> None:
        self._queue = queue
        self._models = models
        self._publisher = publisher
        self._call = call
        self._settings = settings
        self.stopping = False
        self._troubles: dict[object, str] = {}

    @property
    def holding(self) -> str:
        """What a batch is held for; empty when none is held."""
        return next(iter(self._troubles.values()), "")

    def forget_troubles(self) -> None:
        """For a subscription that begins anew: what was held for the former one is held no more."""
        self._troubles.clear()
        metrics.HOLDING.labels(self._queue.name).set(0)

    def run(self, deliveries: Sequence[Delivery]) -> bool:
        """Handles a batch; true when all of it is settled and may be acked, false when it was given up."""
        metrics.BATCH_MESSAGES.labels(self._queue.name).observe(len(deliveries))
        good, refused = self._parse(deliveries)
        settled = self._held(lambda: self._publisher.publish(refused)) and self._held(lambda: self._handle(good))
        if settled:
            metrics.CONSUMED.labels(self._queue.name, "handled").inc(len(good))
        return settled

    def _parse(self, deliveries: Sequence[Delivery]) -> tuple[list[Parsed], list[Outgoing]]:
        good: list[Parsed] = []
        refused: list[Outgoing] = []
        for delivery in deliveries:
            raw = delivery.raw
            if self._models is None:
                good.append(Parsed(raw, raw))
                continue
            parsed = self._validate(raw, self._models)
            if isinstance(parsed, Message):
                good.append(Parsed(raw, parsed))
            else:
                refused.extend(self._refuse(raw, parsed))
        return good, refused

    def _validate(self, raw: RawMessage, models: Mapping[str, type[Contract]]) -> Message[Any] | list[FieldError]:
        model = models.get(raw.envelope.type)
        if model is None:
            return [error("type", raw.envelope.type, "unknown_kind")]
        if len(raw.body) > MAX_BYTES:
            return [error("", len(raw.body), "too_large")]
        try:
            return Message(raw.envelope, model.model_validate_json(raw.body), raw.routing_key, raw.redelivered)
        except ValidationError as invalid:
            return list(validation_errors(invalid))

    def _refuse(self, raw: RawMessage, errors: list[FieldError]) -> list[Outgoing]:
        """The dead letter and the answer to the source."""
        metrics.CONSUMED.labels(self._queue.name, "refused").inc()
        verdict = Verdict(message_id=raw.envelope.id, outcome=Outcome.REJECTED, errors=tuple(errors))
        answer = VerdictsV1(source=raw.envelope.source, verdicts=(verdict,))
        return [
            dead_letter(self._queue.name, raw, errors[0].rule, errors, 1),
            outgoing("egress.verdicts.v1", answer, source=self._queue.name, parent=raw.envelope, key=answer.source),
        ]

    def _held(self, action: Callable[[], None]) -> bool:
        """Does it, however often the store or the broker is away, for `hold_s` at most."""
        since = time.monotonic()
        attempt = 0
        while (trouble := self._trouble_with(action)) is not None:
            self._note(action, trouble[:200])
            if not self._wait(trouble, since, attempt):
                return False
            # After waiting: until then the hub has the error in hand.
            memory.search()
            attempt += 1
        self._note(action, "")
        return True

    def _trouble_with(self, action: Callable[[], None]) -> str | None:
        """Does it; what keeps it from being done now, None when it is done."""
        try:
            action()
        except Exception as trouble:
            if not (isinstance(trouble, BrokerAway) or is_away(trouble)):
                raise
            return repr(trouble)
        return None

    def _wait(self, trouble: str, since: float, attempt: int) -> bool:
        log.warning("batch held", extra={"queue": self._queue.name, "attempt": attempt, "error": trouble[:300]})
        if self.stopping or time.monotonic() - since > self._settings.hold_s:
            return False
        eventlet.sleep(BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)])
        return True

    def _note(self, action: object, trouble: str) -> None:
        if trouble:
            self._troubles[action] = trouble
        else:
            self._troubles.pop(action, None)
        metrics.HOLDING.labels(self._queue.name).set(bool(self._troubles))

    def _handle(self, batch: Sequence[Parsed]) -> None:
        """The whole batch at once; when that fails for a reason unknown, its messages one by one."""
        if not batch:
            return
        try:
            with log_context(**envelope_context(batch[0].raw.envelope)):
                self._call([parsed.message for parsed in batch])
        except Exception as failure:
            if isinstance(failure, BrokerAway) or is_away(failure):
                raise
            if len(batch) > 1:
                log.warning("batch failed, one by one now", extra={"queue": self._queue.name, "error": named(failure)})
                for parsed in batch:
                    self._handle([parsed])
            else:
                self._climb(batch[0].raw, failure)

    def _climb(self, raw: RawMessage, failure: Exception) -> None:
        """Sends a message that fails alone to the next rung of the ladder, past the last one to the dead."""
        attempt = int(raw.headers.get(ATTEMPT, 0))
        log.error(
            "message failed",
            extra={"queue": self._queue.name, "id": raw.envelope.id, "attempt": attempt},
            exc_info=failure,
        )
        if attempt < len(RUNGS):
            metrics.CONSUMED.labels(self._queue.name, "retried").inc()
            headers = {**safe_headers(raw.headers), ATTEMPT: attempt + 1, ROUTING_KEY: raw.routing_key}
            id = short_id(raw.envelope.id)
            rung = Outgoing(RUNGS[attempt], self._queue.name, id, headers, raw.body, raw.content_type)
            self._publisher.publish([rung])
            return
        metrics.CONSUMED.labels(self._queue.name, "dead").inc()
        trace = exception_text(failure)[-TRACE_KEPT:]
        told = [FieldError(field="", value=type(failure).__name__, rule="poison", message=trace)]
        self._publisher.publish([dead_letter(self._queue.name, raw, "poison", told, 1)])
