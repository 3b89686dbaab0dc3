"""Commits what became of deliveries: state, the next channels' deliveries and the announcement in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chassis.outgoing import Commit
from chassis.worker.mongo import Store
from services.notify import announce, writes
from services.notify import store as rows
from services.notify.deliveries.outcomes import Settled


def settle(store: Store, settled: Sequence[Settled], more: Mapping[str, list[Any]] | None = None) -> None:
    """Commits what still holds: a delivery that changed since it was read is left as it is.

    `more` are further writes of the same transaction.
    """

    def decided() -> Commit:
        current = _current(store, settled)
        new = _new(store, [each.next for each in current if each.next])
        moved = [writes.moved(each.before, each.now) for each in current]
        told = announce.changed([*(each.now for each in current), *new])
        return Commit({rows.DELIVERIES: moved + writes.inserted(new), **(more or {})}, told)

    store.decide(decided)


def _current(store: Store, settled: Sequence[Settled]) -> list[Settled]:
    ids = [each.before["_id"] for each in settled]
    found = store.db[rows.DELIVERIES].find({"_id": {"$in": ids}}, {"version": 1})
    versions = {row["_id"]: row["version"] for row in found}
    return [each for each in settled if versions.get(each.before["_id"]) == each.before["version"]]


def _new(store: Store, wanted: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    by_id = {row["_id"]: row for row in wanted}
    return [by_id[id] for id in by_id.keys() - known(store, by_id)]


def known(store: Store, ids: Iterable[str]) -> set[str]:
    """Deliveries that there are already."""
    return {row["_id"] for row in store.db[rows.DELIVERIES].find({"_id": {"$in": [*ids]}}, {"_id": 1})}
