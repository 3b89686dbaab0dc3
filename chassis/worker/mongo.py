"""The store of a worker: pymongo under eventlet, one transaction per batch, and the relay of its outbox."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from nameko.extensions import DependencyProvider
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, ConnectionFailure, PyMongoError

from chassis.collections import OUTBOX, Collection, ensure
from chassis.collisions import ATTEMPTS, is_collision
from chassis.outgoing import Commit
from chassis.settings import Settings
from chassis.worker.publisher import Publisher
from chassis.worker.relay import Relay

log = logging.getLogger(__name__)

Document = dict[str, Any]

SERVER_SELECTION_MS = 3_000
SOCKET_MS = 20_000
LEASE = timedelta(seconds=15)
"""How long a worker keeps its own outbox rows to itself; after a crash another relay takes them."""


def connect(url: str) -> MongoClient[Document]:
    """A client with timeouts short enough for a held batch to notice an outage."""
    return MongoClient(
        url,
        tz_aware=True,
        tzinfo=UTC,
        serverSelectionTimeoutMS=SERVER_SELECTION_MS,
        connectTimeoutMS=SERVER_SELECTION_MS,
        socketTimeoutMS=SOCKET_MS,
        w="majority",
    )


class Store(DependencyProvider):  # type: ignore[misc]
    """A service's own database: `.db` to read, `.commit` to write."""

    publisher = Publisher()

    def __init__(self, collections: tuple[Collection, ...], *, api_writes: bool = True) -> None:
        """`api_writes`: the service's api writes outbox rows too, of which a change stream tells at once.

        A change stream has the server look at every document of every commit, a quarter of its work when trace takes
        in events: where nothing but this worker writes, or an api now and then, there is none, and the scan is enough.
        """
        self.collections = collections
        self.api_writes = api_writes

    def setup(self) -> None:
        settings: Settings = self.container.config["settings"]
        self.client = connect(settings.mongo_url)
        self.db = self.client.get_default_database()
        ensure(self.db, self.collections)
        self.relay = Relay(self.db[OUTBOX], self.publisher, settings)

    def start(self) -> None:
        self.container.spawn_managed_thread(self.relay.run, identifier="relay")
        if self.api_writes:
            self.container.spawn_managed_thread(self.relay.watch, identifier="relay.watch")

    def stop(self) -> None:
        self.relay.stop()
        self.client.close()

    def get_dependency(self, worker_ctx: Any) -> "Store":
        return self

    def problems(self) -> list[str]:
        """What keeps the store from answering; empty when nothing does."""
        try:
            self.client.admin.command("ping")
        except ConnectionFailure as error:
            return [f"store: {error}"[:200]]
        return []

    def commit(self, commit: Commit) -> None:
        """Carries out state and outbox rows in one transaction, then hands the rows to the relay.

        Raises BulkWriteError when a write breaks what is stored, and what `is_away` knows when the store is away
        or another transaction holds the documents: nothing was written then, and the caller's batch is held, not
        tried in a tight loop (a killed worker's transaction lives on until the server ends it).
        """
        if not commit:
            return
        leased = datetime.now(UTC) + LEASE
        with self.client.start_session() as session, session.start_transaction():
            self._write(commit, leased, session)
        self.relay.offer(commit.outgoing)

    def decide(self, decided: Callable[[], Commit], reread: Callable[[], None] = lambda: None) -> None:
        """Commits what is decided; when somebody else was faster, reads again and decides again.

        Raises what `commit` raises, a collision when others were faster `ATTEMPTS` times.
        """
        for left in reversed(range(ATTEMPTS)):
            try:
                self.commit(decided())
            except BulkWriteError as error:
                if not left or not is_collision(error):
                    raise
                reread()
            else:
                return

    def _write(self, commit: Commit, leased: datetime, session: ClientSession) -> None:
        for name, operations in commit.writes.items():
            if operations:
                self.db[name].bulk_write(operations, ordered=True, session=session)
        if commit.outgoing:
            self.db[OUTBOX].insert_many([message.row(leased) for message in commit.outgoing], session=session)


def is_away(error: BaseException) -> bool:
    """Whether trying again later may help: the store is away, or somebody else's transaction is in the way."""
    if isinstance(error, ConnectionFailure):
        return True
    labels = ("TransientTransactionError", "UnknownTransactionCommitResult")
    return isinstance(error, PyMongoError) and any(map(error.has_error_label, labels))
