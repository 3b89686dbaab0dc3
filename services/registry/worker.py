"""The bus side of the registry: what the sources observe, what trace recorded, and what has come due."""

from chassis import clock
from chassis.message import Message
from chassis.outgoing import Commit
from chassis.timers import Due
from chassis.worker.consumer import consume
from chassis.worker.mongo import Store
from chassis.worker.timer import timer
from contracts.registry import ObserveV1
from contracts.topology import REGISTRY_ACTIVITY, REGISTRY_OBSERVE
from contracts.trace import EventsRecordedV1
from services.registry import domain, upkeep
from services.registry.announce import answers, commit
from services.registry.claims import claimed
from services.registry.store import CHANGES, COLLECTIONS, named, recorded


class RegistryWorker:
    """Consumes observations and events, and tends what is due; one transaction per batch."""

    name = "registry"
    store = Store(COLLECTIONS)

    @consume(REGISTRY_OBSERVE, {"registry.observe.v1": ObserveV1})
    def observe(self, messages: list[Message[ObserveV1]]) -> None:
        """Takes in what sources see of operators and sites."""
        self.store.decide(lambda: self._observed(messages))

    @consume(REGISTRY_ACTIVITY, {"trace.events_recorded.v1": EventsRecordedV1})
    def activity(self, messages: list[Message[EventsRecordedV1]]) -> None:
        """Marks who is on the chain and at work."""
        events = [event for message in messages for event in message.body.events]
        self.store.decide(lambda: upkeep.record(self.store.db, events, messages[0].envelope, clock.stamp()))

    @timer("sweep", every=upkeep.SWEEP_EVERY)
    def sweep(self, row: Due) -> None:
        """A day came, or thirty went by."""
        self.store.decide(lambda: upkeep.sweep(self.store.db, row, clock.stamp()))

    @timer("look")
    def look(self, row: Due) -> None:
        """Sites have their first mark."""
        self.store.decide(lambda: upkeep.look(self.store.db, row, clock.stamp()))

    @timer("walk")
    def walk(self, row: Due) -> None:
        """The grid or a phase changed."""
        self.store.decide(lambda: upkeep.walk(self.store.db, row, clock.stamp()))

    @timer("roster")
    def roster(self, row: Due) -> None:
        """A roster waits to be taken in."""
        self.store.decide(lambda: upkeep.import_roster(self.store.db, row, clock.stamp()))

    def _observed(self, messages: list[Message[ObserveV1]]) -> Commit:
        observations = [seen for message in messages for seen in message.body.observations]
        known = [row["_id"] for row in self.store.db[CHANGES].find(recorded(observations), {"_id": 1})]
        claims = [claimed(observation) for observation in observations]
        operators, world = upkeep.sight(self.store.db, named(claims), claims)
        parents = {seen.source: each.envelope for each in reversed(messages) for seen in each.body.observations}
        decision, verdicts = domain.observe(operators, known, observations, clock.stamp(), world)
        decided = commit(decision, messages[0].envelope)
        return Commit(decided.writes, [*decided.outgoing, *answers(verdicts, parents)])
