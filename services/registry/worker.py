"""The bus side of the registry: what the sources observe."""

from datetime import UTC, datetime
from typing import Any, Final, cast

from pymongo.database import Database
from pymongo.errors import BulkWriteError

from chassis.message import Message
from chassis.outgoing import Commit
from chassis.worker.consumer import consume
from chassis.worker.mongo import Store
from contracts.registry import Observation, ObserveV1
from contracts.topology import REGISTRY_OBSERVE
from services.registry import domain
from services.registry.announce import answers, commit
from services.registry.claims import in_milliseconds
from services.registry.documents import Operator
from services.registry.store import CHANGES, COLLECTIONS, OPERATORS, Component, recorded, touched

ATTEMPTS: Final = 5
"""Times a batch is decided anew because another process wrote the same operators first."""

DUPLICATE_KEY: Final = 11000


class RegistryWorker:
    """Consumes observations; one transaction per batch."""

    name = "registry"
    store = Store(COLLECTIONS)

    @consume(REGISTRY_OBSERVE, {"registry.observe.v1": ObserveV1})
    def observe(self, messages: list[Message[ObserveV1]]) -> None:
        """Takes in what sources see of operators and sites."""
        for left in reversed(range(ATTEMPTS)):
            try:
                self.store.commit(self._decide(messages))
            except BulkWriteError as error:
                if not left or not _is_collision(error):
                    raise
            else:
                return

    def _decide(self, messages: list[Message[ObserveV1]]) -> Commit:
        observations = [seen for message in messages for seen in message.body.observations]
        db = self.store.db
        known = [row["_id"] for row in db[CHANGES].find(recorded(observations), {"_id": 1})]
        now = in_milliseconds(datetime.now(UTC))
        parents = {seen.source: each.envelope for each in reversed(messages) for seen in each.body.observations}
        decision, verdicts = domain.observe(_load(db, observations), known, observations, now)
        decided = commit(decision, messages[0].envelope)
        return Commit(decided.writes, [*decided.outgoing, *answers(verdicts, parents)])


def _load(db: Database[dict[str, Any]], observations: list[Observation]) -> list[Operator]:
    component = Component(touched(observations))
    while (query := component.missing()) is not None:
        component.add(cast("list[Operator]", list(db[OPERATORS].find(query))))
    return component.operators


def _is_collision(error: BulkWriteError) -> bool:
    return any(write["code"] == DUPLICATE_KEY for write in error.details["writeErrors"])
