"""The life of a delivery: one message to one recipient for one cause on one channel. No I/O.

`TRANSITIONS` is the whole of it; `services.notify.deliveries.retries` decides which step an attempt leads to.
"""

from enum import StrEnum
from hashlib import sha256
from typing import Final


class Channel(StrEnum):
    """A way to somebody."""

    WECHAT = "wechat"
    SMS = "sms"
    WECOM = "wecom"
    WEBHOOK = "webhook"
    IN_APP = "in_app"


class State(StrEnum):
    """Where a delivery stands."""

    HELD = "held"
    BUNDLED = "bundled"
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Step(StrEnum):
    """What moves a delivery."""

    BUNDLE = "bundle"
    CLAIM = "claim"
    ACCEPT = "accept"
    RETRY = "retry"
    FAIL = "fail"
    LOSE = "lose"
    FIND = "find"
    MISS = "miss"
    RECEIVE = "receive"
    REJECT = "reject"
    READ = "read"


TRANSITIONS: Final[dict[tuple[State, Step], State]] = {
    (State.HELD, Step.BUNDLE): State.BUNDLED,
    (State.PENDING, Step.CLAIM): State.SENDING,
    (State.SENDING, Step.ACCEPT): State.SENT,
    (State.SENDING, Step.RETRY): State.PENDING,
    (State.SENDING, Step.FAIL): State.FAILED,
    # The process died, or the provider never said: it may have gone out.
    (State.SENDING, Step.LOSE): State.UNKNOWN,
    # The provider was asked.
    (State.UNKNOWN, Step.FIND): State.SENT,
    (State.UNKNOWN, Step.MISS): State.PENDING,
    (State.UNKNOWN, Step.RECEIVE): State.DELIVERED,
    (State.UNKNOWN, Step.REJECT): State.FAILED,
    (State.SENT, Step.RECEIVE): State.DELIVERED,
    (State.SENT, Step.REJECT): State.FAILED,
    (State.DELIVERED, Step.READ): State.READ,
}

FINAL: Final = frozenset({State.BUNDLED, State.READ, State.FAILED})


class NotAllowed(Exception):
    """The state forbids the step."""

    def __init__(self, state: State, step: Step) -> None:
        super().__init__(f"{step} is not allowed for a delivery that is {state}")
        self.state = state
        self.step = step


def after(state: State, step: Step) -> State:
    """The state a step leads to. Raises NotAllowed."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise NotAllowed(state, step) from None


def delivery_id(cause: str, recipient: str, channel: Channel) -> str:
    """Deterministic, so that a cause told twice is one delivery; the providers get it as their idempotency key.

    `D` and 31 hexadecimal digits: WeChat's `client_msg_id` has at most 32 characters.
    """
    return "D" + sha256("\n".join((cause, recipient, channel)).encode()).hexdigest()[:31]
