"""What an attempt leads to: classes of failure, what each provider offers against sending twice, and waits. No I/O."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from services.notify.domain import Channel, Step


class Trouble(StrEnum):
    """Classes of failure."""

    THROTTLED = "throttled"
    """The provider asks for less; nothing was sent."""
    AWAY = "away"
    """Nobody took it; nothing was sent."""
    UNCERTAIN = "uncertain"
    """Taken or not, the provider did not say."""
    REFUSED = "refused"
    """This recipient will not get it on this channel: bad number, blocked, quota used up."""
    MISCONFIGURED = "misconfigured"
    """Nobody will get it on this channel: wrong key, template, balance."""


@dataclass(frozen=True)
class Accepted:
    """The provider took it, under an id of its own where it gives one."""

    provider_id: str | None = None


@dataclass(frozen=True)
class Refusal:
    """It did not; `code` is what the provider said, for people."""

    trouble: Trouble
    code: str


Outcome = Accepted | Refusal


class Traits(NamedTuple):
    """What a channel's provider offers against sending twice, and for how long after an attempt."""

    repeatable_for: timedelta | None = None
    """It recognises our id: sending again within this time is not sending twice."""
    can_be_asked: bool = False
    """It can be asked by our id whether it took the message."""


TRAITS: Final = {
    # client_msg_id: one message per openid and id, valid for ten minutes.
    Channel.WECHAT: Traits(repeatable_for=timedelta(minutes=9)),
    # OutId is echoed, not deduplicated; QuerySendDetails finds a message by phone, day and OutId.
    Channel.SMS: Traits(can_be_asked=True),
    # A group robot has neither.
    Channel.WECOM: Traits(),
    # webhook-id: receivers are to take an id once (Standard Webhooks).
    Channel.WEBHOOK: Traits(repeatable_for=timedelta(days=1)),
    Channel.IN_APP: Traits(),
}

RETRIES: Final[dict[Trouble, tuple[int, ...]]] = {
    Trouble.THROTTLED: (1, 2, 4, 8, 15, 30, 60, 300),
    Trouble.AWAY: (5, 30, 120, 600),
    Trouble.UNCERTAIN: (5, 30, 120),
    Trouble.REFUSED: (),
    Trouble.MISCONFIGURED: (),
}
"""Seconds to wait before each further attempt; past the last one the next channel is tried."""

URGENT_RETRIES: Final[dict[Trouble, tuple[int, ...]]] = {
    **RETRIES,
    Trouble.AWAY: (2, 10),
    Trouble.UNCERTAIN: (2, 10),
}
"""The same for recalls and statutory orders: rather another channel than a long wait."""

ASKED_AT_MOST: Final = 5


class Next(NamedTuple):
    """What an attempt leads to: a step, when to look again, and whether the next channel is tried."""

    step: Step
    due_at: datetime | None = None
    fall_back: bool = False


def next_step(
    outcome: Outcome,
    channel: Channel,
    attempts: int,
    statutory: bool,
    doubtful: bool,
    first_at: datetime,
    now: datetime,
    ask_after: timedelta,
) -> Next:
    """After an attempt; `attempts` counts it, `first_at` is when the first of them began.

    `ask_after` is how long a provider that can be asked is given to show a message (`sms_ask_after_s`).
    `doubtful` says that an earlier one may have gone out, so that not even a clear failure makes it safe to repeat.
    """
    if isinstance(outcome, Accepted):
        return Next(Step.ACCEPT)
    waits = (URGENT_RETRIES if statutory else RETRIES)[outcome.trouble]
    again = now + timedelta(seconds=waits[attempts - 1]) if attempts <= len(waits) else None
    if outcome.trouble is Trouble.UNCERTAIN or (doubtful and again):
        return _uncertain(TRAITS[channel], again, first_at, now, ask_after)
    return Next(Step.RETRY, again) if again else Next(Step.FAIL, fall_back=True)


def _uncertain(traits: Traits, again: datetime | None, first_at: datetime, now: datetime, ask_after: timedelta) -> Next:
    if traits.can_be_asked:
        return Next(Step.LOSE, now + ask_after)
    if again and traits.repeatable_for and again < first_at + traits.repeatable_for:
        return Next(Step.RETRY, again)
    return Next(Step.LOSE, fall_back=True)


def fallbacks(rest: list[str], step: Step, statutory: bool) -> list[str]:
    """The channels that are left to try.

    A message of unknown fate is not pushed again on another channel, only laid into the inbox, unless the law is at
    stake: then rather twice than not at all.
    """
    if step is Step.LOSE and not statutory:
        return [channel for channel in rest if channel == Channel.IN_APP]
    return rest
