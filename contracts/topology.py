"""The bus as data: every exchange, queue and binding, declared once (design: "The bus").

Pure data; `chassis.topology` turns it into kombu objects and declares them. Every process declares the whole
table at start, so that a publisher never meets a queue that its consumer has not made yet.
"""

from typing import Final, NamedTuple

INGEST: Final = "shilian.ingest"
COMMANDS: Final = "shilian.commands"
EVENTS: Final = "shilian.events"
EGRESS: Final = "shilian.egress"
DEAD: Final = "shilian.dead"
UNROUTED: Final = "egress.unrouted"
"""Fanout exchange and queue that keep answers to a source without an egress queue."""

EXCHANGES: Final = (INGEST, COMMANDS, EVENTS, EGRESS, DEAD)

RETRY_LADDER: Final = {"shilian.retry.10s": 10_000, "shilian.retry.1m": 60_000, "shilian.retry.10m": 600_000}
"""Fanout exchange (and its queue's name) to time-to-live in milliseconds, in the order they are climbed."""

DELIVERY_LIMIT: Final = 20


class Queue(NamedTuple):
    """A quorum queue, the exchange it is bound to, and its binding keys."""

    name: str
    exchange: str
    keys: tuple[str, ...]

    @property
    def dead(self) -> str:
        """Name of its dead-letter queue."""
        return f"{self.name}.dead"


SYSTEMS: Final = ("market", "one_network", "catering")
"""The three legacy app modules: broker user, first word of their routing keys, and name of their adapter."""

DOCKED: Final = ("docking.formula", "docking.quarantine")
"""Self-built systems that ship with the local stack. A docked source has two words: `docking.<system>`."""

MARKET_INGEST: Final = Queue("market.ingest", INGEST, ("market.#",))
ONE_NETWORK_INGEST: Final = Queue("one_network.ingest", INGEST, ("one_network.#",))
CATERING_INGEST: Final = Queue("catering.ingest", INGEST, ("catering.#",))
DOCKING_INGEST: Final = Queue("docking.ingest", INGEST, ("docking.#",))
REGISTRY_OBSERVE: Final = Queue("registry.observe", COMMANDS, ("registry.observe.v1",))
TRACE_CAPTURE: Final = Queue("trace.capture", COMMANDS, ("trace.capture.v1",))
TRACE_DECLARATIONS: Final = Queue("trace.declarations", COMMANDS, ("trace.declare_errors.v1",))
TRACE_REGISTRY: Final = Queue("trace.registry", EVENTS, ("registry.sites_changed.v1", "registry.sites_aliased.v1"))
TRACE_PROPOSALS: Final = Queue("trace.proposals", EVENTS, ("trace.events_recorded.v1",))
TRACE_TRUTH: Final = Queue("trace.truth", EVENTS, ("trace.events_recorded.v1", "trace.errors_declared.v1"))
INSPECTION_TESTS: Final = Queue("inspection.tests", COMMANDS, ("inspection.record_tests.v1",))
INSPECTION_EVENTS: Final = Queue(
    "inspection.events",
    EVENTS,
    ("trace.findings_changed.v1", "trace.recalls_opened.v1", "trace.recalls_closed.v1", "registry.*.v1"),
)
INSPECTION_FACTS: Final = Queue("inspection.facts", EVENTS, ("trace.events_recorded.v1", "trace.errors_declared.v1"))
NOTIFY_EVENTS: Final = Queue(
    "notify.events",
    EVENTS,
    (
        "registry.*.v1",
        "trace.findings_changed.v1",
        "trace.recalls_opened.v1",
        "trace.recalls_changed.v1",
        "trace.recalls_closed.v1",
        "inspection.*.v1",
        "reporting.bulletin_published.v1",
    ),
)
REGISTRY_ACTIVITY: Final = Queue("registry.activity", EVENTS, ("trace.events_recorded.v1",))
REPORTING_FACTS: Final = Queue(
    "reporting.facts", EVENTS, ("registry.*.v1", "trace.*.v1", "inspection.*.v1", "notify.deliveries_changed.v1")
)

CONSUMED: Final = (
    MARKET_INGEST,
    ONE_NETWORK_INGEST,
    CATERING_INGEST,
    DOCKING_INGEST,
    REGISTRY_OBSERVE,
    TRACE_CAPTURE,
    TRACE_DECLARATIONS,
    TRACE_REGISTRY,
    TRACE_PROPOSALS,
    TRACE_TRUTH,
    INSPECTION_TESTS,
    INSPECTION_EVENTS,
    INSPECTION_FACTS,
    NOTIFY_EVENTS,
    REGISTRY_ACTIVITY,
    REPORTING_FACTS,
)
"""Queues that one of our workers consumes; each has a `.dead` queue."""


def egress_queue(source: str) -> Queue:
    """The queue a source reads its answers from."""
    return Queue(f"egress.{source}", EGRESS, (source,))


def source_of(routing_key: str) -> str:
    """The source a message on `shilian.ingest` comes from.

    The broker lets a user publish only under its own prefix, so the key, not the body, says who speaks.
    """
    words = routing_key.split(".")
    return ".".join(words[:2]) if words[0] == "docking" else words[0]
