"""Sending what is due on one channel: claimed first, within quotas, at the provider's pace, committed in batches."""

import logging
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from pymongo import ReturnDocument

from chassis import clock
from chassis.worker.mongo import Store
from chassis.worker.pool import each
from services.notify import metrics, writes
from services.notify import store as rows
from services.notify.deliveries.outcomes import Settled, answered, attempted
from services.notify.deliveries.quotas import Quota, quota
from services.notify.deliveries.retries import Outcome, Refusal, Trouble
from services.notify.deliveries.settling import settle
from services.notify.domain import Channel
from services.notify.settings import NotifySettings

log = logging.getLogger(__name__)

Row = dict[str, Any]

IN_FLIGHT: Final = 3
"""Batches of one worker and channel: while one waits for answers, the next is sent."""
BATCH_S: Final = 2.0
"""The longest that a batch takes at the provider's pace, in seconds."""
SWEEP_S: Final = 12.0
"""After which a sweep takes no more, so that a process can stop; the next one follows at once."""
CATCH_UP_S: Final = 0.05
"""Delay in sending that may be made up for at once, in seconds."""
RECOVERED_AT_MOST: Final = 500
USED_UP: Final = Refusal(Trouble.REFUSED, "quota_used_up")
ABANDONED: Final = Refusal(Trouble.UNCERTAIN, "abandoned")


class Provider(Protocol):
    """A channel's provider."""

    def send(self, row: Mapping[str, Any]) -> Outcome: ...


Ask = Callable[[Mapping[str, Any]], Outcome | None]


class Gate:
    """Lets messages out one by one; after a stall they do not all go at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free = 0.0

    def wait(self, at: float, per_second: float) -> None:
        """Returns at the place in the rate (monotonic seconds), or later when others were late."""
        time.sleep(max(0.0, at - time.monotonic()))
        with self._lock:
            time.sleep(max(0.0, self._free - time.monotonic()))
            self._free = max(self._free, time.monotonic() - CATCH_UP_S) + 1 / per_second


class Sender:
    """Sends deliveries; any number of workers may, side by side."""

    def __init__(
        self, store: Store, settings: NotifySettings, providers: Mapping[str, Provider], asks: Mapping[str, Ask]
    ) -> None:
        self._store = store
        self._settings = settings
        self._providers = providers
        self._asks = asks
        self._deliveries = store.db[rows.DELIVERIES]
        # Only the SMS provider can be asked.
        self._ask_after = timedelta(seconds=settings.sms_ask_after_s)
        self._gates: dict[str, Gate] = defaultdict(Gate)
        self._rates = {
            Channel.SMS: settings.sms_rate,
            Channel.WECHAT: settings.wechat_rate,
            Channel.WECOM: settings.wecom_rate,
            Channel.WEBHOOK: settings.webhook_rate,
        }

    def sweep(self, channel: Channel) -> None:
        """Sends what is due, most urgent first; settles what dead workers left, and asks after what is unknown."""
        self._recover(channel)
        self._ask(channel)
        for _ in each(self._deliver, self._claims(channel), IN_FLIGHT):
            pass

    def _claims(self, channel: Channel) -> Iterator[list[Row]]:
        until = time.monotonic() + SWEEP_S
        while time.monotonic() < until and (claimed := self._claim(channel)):
            yield claimed

    def _claim(self, channel: Channel) -> list[Row]:
        """Marks rows as being sent, under an attempt of this worker's own, before anything goes out."""
        now, attempt = clock.now(), uuid.uuid4().hex
        number = max(1, min(self._settings.send_batch, int(self._rates[channel] * BATCH_S)))
        due = writes.due(channel, now)
        ids = [row["_id"] for row in self._deliveries.find(due, {"_id": 1}).sort(writes.FIRST).limit(number)]
        if not ids:
            return []
        lease = datetime.now(UTC) + timedelta(seconds=self._settings.send_lease_s)
        self._deliveries.update_many({"_id": {"$in": ids}, **due}, writes.claimed(attempt, lease, now))
        return list(self._deliveries.find({"attempt": attempt, "_id": {"$in": ids}}).sort(writes.FIRST))

    def _deliver(self, claimed: list[Row]) -> None:
        held = self._used_up(claimed)
        sent = each(self._attempt, self._paced([row for row in claimed if row["_id"] not in held]), self._at_once)
        settle(
            self._store,
            [*sent, *(attempted(row, USED_UP, clock.now(), self._ask_after) for row in claimed if row["_id"] in held)],
        )

    @property
    def _at_once(self) -> int:
        return self._settings.send_at_once

    def _attempt(self, slot: tuple[float, Row]) -> Settled:
        at, row = slot
        self._gates[_pace(row)].wait(at, self._rates[Channel(row["channel"])])
        outcome = self._send(row)
        metrics.attempted(row["channel"], outcome)
        return self._attempted(row, outcome)

    def _send(self, row: Row) -> Outcome:
        try:
            return self._providers[row["channel"]].send(row)
        except Exception as failure:
            # One message that cannot be sent must not keep its neighbours from being settled.
            log.exception("sending failed", extra={"delivery": row["_id"], "channel": row["channel"]})
            return Refusal(Trouble.UNCERTAIN, type(failure).__name__)

    def _paced(self, claimed: Sequence[Row]) -> list[tuple[float, Row]]:
        """Each row with the time (monotonic seconds) of its place in its provider's rate."""
        by_pace: dict[str, list[Row]] = defaultdict(list)
        for row in claimed:
            by_pace[_pace(row)].append(row)
        slots = [slot for key, some in by_pace.items() for slot in self._reserve(key, some)]
        return sorted(slots, key=lambda slot: slot[0])

    def _reserve(self, key: str, some: Sequence[Row]) -> Iterator[tuple[float, Row]]:
        rate = self._rates[Channel(some[0]["channel"])]
        told = self._store.db[rows.PACES].find_one_and_update(
            {"_id": key}, writes.reserved(len(some), rate), upsert=True, return_document=ReturnDocument.AFTER
        )
        begin = time.monotonic() + (told["begin"] - told["now"]).total_seconds()
        return ((begin + place / rate, row) for place, row in enumerate(some))

    def _used_up(self, claimed: Sequence[Row]) -> set[str]:
        """Deliveries whose recipient's quota is used up."""
        asked = {row["_id"]: found for row in claimed if (found := self._quota(row))}
        if not asked:
            return set()
        now = clock.now()
        ledger = self._store.db[rows.QUOTAS]
        ledger.bulk_write([found.take(id, now) for id, found in asked.items()])
        keys = [found.key for found in asked.values()]
        granted = {entry["id"] for row in ledger.find({"_id": {"$in": keys}}) for entry in row.get("entries", ())}
        return asked.keys() - granted

    def _quota(self, row: Row) -> Quota | None:
        channel = row["channel"]
        return quota(self._settings, channel, row["event"], row["addresses"][channel])

    def _attempted(self, row: Row, outcome: Outcome) -> Settled:
        return attempted(row, outcome, clock.now(), self._ask_after)

    def _recover(self, channel: Channel) -> None:
        """What a dead worker was sending may have gone out: repeated where that is safe, else of unknown fate."""
        found = self._deliveries.find({"channel": channel, **writes.ended(datetime.now(UTC))}).limit(RECOVERED_AT_MOST)
        settle(self._store, [self._attempted(row, ABANDONED) for row in found])

    def _ask(self, channel: Channel) -> None:
        """Asks what became of messages of unknown fate."""
        if ask := self._asks.get(channel):
            found = list(self._deliveries.find(writes.to_ask(channel, clock.now())).limit(RECOVERED_AT_MOST))
            answers = each(ask, found, self._at_once)
            told = zip(found, answers, strict=True)
            settle(self._store, [answered(row, answer, clock.now(), self._ask_after) for row, answer in told])


def _pace(row: Row) -> str:
    """Whose rate it is: the account's, or one robot's or receiver's."""
    channel = row["channel"]
    own = channel in (Channel.WECOM, Channel.WEBHOOK)
    return f"{channel}:{row['addresses'][channel]}" if own else channel
