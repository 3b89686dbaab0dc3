"""What attempts, answers and receipts make of a delivery, and of the next channel. No I/O."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from services.notify.deliveries.plan import fallback
from services.notify.deliveries.retries import ASKED_AT_MOST, Accepted, Outcome, Refusal, Trouble, fallbacks, next_step
from services.notify.domain import Channel, State, Step, after

Row = Mapping[str, Any]

SENT_AT_MOST = 4
"""Times a message is sent that the provider says it has never seen."""


class Settled(NamedTuple):
    """A delivery as it was and as it is now, and the one on the next channel."""

    before: Row
    now: dict[str, Any]
    next: dict[str, Any] | None = None


def attempted(row: Row, outcome: Outcome, now: datetime, ask_after: timedelta) -> Settled:
    """After an attempt to send; `ask_after` as in `retries.next_step`."""
    doubtful = row.get("doubtful", False) or _is_uncertain(outcome)
    channel, tried = Channel(row["channel"]), row["attempts"]
    led = next_step(outcome, channel, tried, row["statutory"], doubtful, row["first_at"], now, ask_after)
    told = {"due_at": led.due_at, "doubtful": doubtful, "error": outcome.code if isinstance(outcome, Refusal) else None}
    if isinstance(outcome, Accepted) and outcome.provider_id:
        told["provider_id"] = outcome.provider_id
    rest = fallbacks(row["rest"], led.step, row["statutory"]) if led.fall_back else []
    return _stepped(row, led.step, told, rest, now)


def _is_uncertain(outcome: Outcome) -> bool:
    return isinstance(outcome, Refusal) and outcome.trouble is Trouble.UNCERTAIN


def answered(row: Row, answer: Outcome | None, now: datetime, ask_after: timedelta) -> Settled:
    """After the provider was asked; None is a message that it has never seen."""
    rest = row["rest"]
    if isinstance(answer, Accepted):
        return _stepped(row, Step.FIND, {"due_at": None, "error": None}, [], now)
    if answer is None and row["attempts"] < SENT_AT_MOST:
        return _stepped(row, Step.MISS, {"due_at": now, "doubtful": False}, [], now)
    if answer is None or answer.trouble is Trouble.REFUSED:
        return _stepped(row, Step.REJECT, {"due_at": None, "error": answer.code if answer else "lost"}, rest, now)
    asked = row.get("asked", 0) + 1
    if asked < ASKED_AT_MOST:
        return _stays(row, {"asked": asked, "due_at": now + ask_after * asked}, [], now)
    return _stays(row, {"asked": asked, "due_at": None}, fallbacks(rest, Step.LOSE, row["statutory"]), now)


def received(row: Row, delivered: bool, error: str, now: datetime) -> Settled | None:
    """After a receipt; None when it comes too late to change anything."""
    if (State(row["state"]), Step.RECEIVE) not in _RECEIVABLE:
        return None
    if delivered:
        return _stepped(row, Step.RECEIVE, {"due_at": None, "error": None}, [], now)
    return _stepped(row, Step.REJECT, {"due_at": None, "error": error or "undelivered"}, row["rest"], now)


_RECEIVABLE = {(State.SENT, Step.RECEIVE), (State.UNKNOWN, Step.RECEIVE)}


def read(row: Row, now: datetime) -> dict[str, Any]:
    """The delivery once it is read. Raises NotAllowed."""
    return _now(row, {"state": after(State(row["state"]), Step.READ).value, "read_at": now}, now)


def bundled(row: Row, now: datetime) -> dict[str, Any]:
    """A held delivery once a digest tells it."""
    return _now(row, {"state": after(State(row["state"]), Step.BUNDLE).value, "due_at": None}, now)


def _stepped(row: Row, step: Step, told: Mapping[str, Any], rest: Sequence[str], now: datetime) -> Settled:
    return _stays(row, {**told, "state": after(State(row["state"]), step).value}, rest, now)


def _stays(row: Row, told: Mapping[str, Any], rest: Sequence[str], now: datetime) -> Settled:
    return Settled(row, _now(row, told, now), fallback(row, rest, now))


def _now(row: Row, told: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {**row, **told, "version": row["version"] + 1, "updated_at": now}
