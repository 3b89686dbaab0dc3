"""A provider that answers 500, hangs or sends garbage, on every channel: state, attempts, messages shown, fallback."""

from functools import partial
from typing import Any, Final

import pytest

from tests.faults.test_killed_notify import subscribe
from tests.integration import test_notify_service as service
from tests.integration.test_notify_service import World, finding
from tests.processes import eventually

__all__ = ["platform", "world"]

platform, world = service.platform, service.world

CHANNELS: Final = ("wechat", "sms", "wecom", "webhook")
LATER_S: Final = 130.0
"""By then a delivery is tried again, and a provider asked."""
LAST_S: Final = 700.0
"""By then it is tried for the last time."""

REPEATED, ASKED, DOUBTFUL = ("sent", 2, 0), ("sent", 1, 0), ("unknown", 1, 1)
"""State, attempts, and rows in the inbox instead."""
AFTER_DOUBT: Final = {"wechat": REPEATED, "webhook": REPEATED, "sms": ASKED, "wecom": DOUBTFUL}
"""What a channel makes of an answer that does not say whether the message was taken."""


def told(world: World, channel: str, **orders: Any) -> dict[str, Any]:
    """The delivery of somebody with one channel, after the first attempt."""
    world.simulator.order(channel, receipt=None, **orders)
    subscribe(world.client, world.simulator.url, channel, "finding_closed")
    world.tell("trace.findings_changed.v1", finding(open=False, version=2))
    tried = {"channel": channel, "attempts": 1, "state": {"$in": ["pending", "unknown"]}}
    row: dict[str, Any] = eventually(lambda: world.db.deliveries.find_one(tried))
    return row


def inbox(world: World, row: dict[str, Any]) -> int:
    count: int = world.db.deliveries.count_documents({"recipient": row["recipient"], "channel": "in_app"})
    return count


@pytest.mark.parametrize("fault", ["error", "hang", "garbage"])
@pytest.mark.parametrize("channel", CHANNELS)
def test_once(world: World, channel: str, fault: str) -> None:
    row = told(world, channel, fault=fault, times=1)
    state, attempts, instead = REPEATED if fault == "error" else AFTER_DOUBT[channel]
    world.later(LATER_S)
    ended = {"_id": row["_id"], "state": state, "attempts": attempts}
    eventually(lambda: world.db.deliveries.find_one(ended))
    assert len(world.simulator.sent(channel)) == 1
    assert inbox(world, row) == instead


@pytest.mark.parametrize("channel", CHANNELS)
def test_for_good(world: World, channel: str) -> None:
    row = told(world, channel, fault="error")
    for attempt in range(2, 6):
        world.later(LAST_S)
        tried = {"_id": row["_id"], "attempts": attempt, "state": {"$ne": "sending"}}
        eventually(partial(world.db.deliveries.find_one, tried))
    failed = {"_id": row["_id"], "state": "failed", "attempts": 5, "error": "http_500"}
    eventually(lambda: world.db.deliveries.find_one(failed))
    eventually(lambda: inbox(world, row), lambda count: count == 1)
    assert world.simulator.sent(channel) == []
