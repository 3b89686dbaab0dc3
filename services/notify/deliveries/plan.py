"""From what happened to delivery rows: who is told, on which channel first, and when. No I/O."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.notify.domain import Channel, State, delivery_id
from services.notify.events.events import EVENTS, Occurrence
from services.notify.events.templates import render
from services.notify.grid import Grid, Recipient
from services.notify.hours import after_quiet, next_digest
from services.notify.subscriptions import Subscription, wants

Row = dict[str, Any]
"""A row of the collection `deliveries`."""

Stopped = frozenset[tuple[str, str]]
"""Channel and address of those who said STOP."""


def planned(
    occurrences: Iterable[Occurrence],
    subscriptions: Sequence[Subscription],
    grid: Grid,
    stopped: Stopped,
    now: datetime,
) -> list[Row]:
    """One row per recipient, cause and first channel; two subscriptions that say the same make one."""
    rows: dict[str, Row] = {}
    for occurrence in occurrences:
        division = grid.division_of(occurrence)
        for subscription in subscriptions:
            if wants(subscription, occurrence, division):
                for recipient in grid.recipients(subscription["audience"], occurrence, subscription):
                    channels = _channels(occurrence, recipient, subscription, stopped)
                    id = delivery_id(occurrence.cause, recipient.key, channels[0])
                    if id not in rows:
                        rows[id] = _first(occurrence, recipient, subscription, channels, now, division)
    return list(rows.values())


def reachable(channels: Sequence[str], addresses: Mapping[str, str], statutory: bool, stopped: Stopped) -> list[str]:
    """The channels on which somebody can be told, in order; a STOP does not hold what the law orders."""
    return [
        channel
        for channel in channels
        if channel == Channel.IN_APP
        or (channel in addresses and (statutory or (channel, addresses[channel]) not in stopped))
    ]


def _channels(
    occurrence: Occurrence, recipient: Recipient, subscription: Subscription, stopped: Stopped
) -> list[Channel]:
    """Where to try, in order; what reaches nobody is laid into the inbox."""
    statutory = EVENTS[occurrence.event].statutory
    reached = reachable(subscription["channels"], recipient.addresses, statutory, stopped)
    return [*map(Channel, reached)] or [Channel.IN_APP]


def _first(
    occurrence: Occurrence,
    recipient: Recipient,
    subscription: Subscription,
    channels: Sequence[Channel],
    now: datetime,
    division: str | None,
) -> Row:
    event = EVENTS[occurrence.event]
    rendered = render(occurrence.event, occurrence.facts)
    row = {
        "cause": occurrence.cause,
        "event": occurrence.event,
        "recipient": recipient.key,
        "name": recipient.name,
        "inbox": recipient.inbox,
        "addresses": recipient.addresses,
        "division": division or recipient.division or "",
        "site": occurrence.site,
        "operator": occurrence.operator,
        "subscription": subscription["_id"],
        "secret": subscription["address"].get("webhook_secret"),
        "facts": occurrence.facts,
        "title": rendered.title,
        "text": rendered.text,
        "statutory": event.statutory,
        "urgency": event.urgency,
        "created_at": now,
    }
    held = subscription["digest"] and not event.statutory and channels[0] != Channel.IN_APP
    due = next_digest(now) if held else now if event.statutory else after_quiet(subscription["quiet"], now)
    return _on(row, channels, due, now) | ({"state": State.HELD.value} if held else {})


def _on(row: Mapping[str, Any], channels: Sequence[str], due: datetime, now: datetime) -> Row:
    """The row on the first of these channels; the inbox needs no sending."""
    channel = Channel(channels[0])
    inbox = channel is Channel.IN_APP
    return {
        **row,
        "_id": delivery_id(row["cause"], row["recipient"], channel),
        "channel": channel.value,
        "rest": [str(left) for left in channels[1:]],
        "state": (State.DELIVERED if inbox else State.PENDING).value,
        "due_at": None if inbox else due,
        "attempts": 0,
        "version": 1,
        "updated_at": now,
    }


_OWN = frozenset({"first_at", "attempt", "lease_until", "provider_id", "error", "read_at", "asked", "doubtful"})
"""What belongs to one channel's attempts."""


def fallback(row: Mapping[str, Any], rest: Sequence[str], now: datetime) -> Row | None:
    """The row on the next channel, due at once; None when there is none."""
    if not rest:
        return None
    kept = {name: value for name, value in row.items() if name not in _OWN}
    return _on({**kept, "created_at": now}, rest, now, now)


def digested(rows: Sequence[Row], now: datetime) -> Row:
    """One row that tells what the held rows of one recipient and channel would have told."""
    newest = max(rows, key=lambda row: (row["created_at"], row["_id"]))
    facts = {"count": str(len(rows)), "lines": "\n".join(row["title"] for row in rows)}
    rendered = render("digest", facts)
    cause = f"digest:{min(row['due_at'] for row in rows).isoformat(timespec='minutes')}:{newest['channel']}"
    told = {"cause": cause, "event": "digest", "facts": facts, "title": rendered.title, "text": rendered.text}
    kept = {name: value for name, value in newest.items() if name not in {"site", "operator"}}
    own = {"urgency": EVENTS["digest"].urgency, "created_at": now, "site": None, "operator": None}
    return _on({**kept, **told, **own}, [newest["channel"], *newest["rest"]], now, now)


def by_recipient(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Held rows that go out together."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["recipient"], row["channel"]), []).append(row)
    yield from groups.values()
