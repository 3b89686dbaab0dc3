"""The store of an api: motor, one transaction per mutation. No other module imports motor (ADR 0003).

Deadlines: motor runs pymongo in threads that inherit the context, so `pymongo.timeout()` around a call bounds every
operation inside it (timeoutMS).
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession, AsyncIOMotorDatabase
from pymongo.errors import PyMongoError

from chassis.collections import OUTBOX, Collection, ensure
from chassis.outgoing import UNLEASED, Commit

Document = dict[str, Any]

SERVER_SELECTION_MS: Final = 3_000
PING_S: Final = 2.0


class Store:
    """A service's own database: `.db` to read, `.commit` to write."""

    def __init__(self, client: "AsyncIOMotorClient[Document]", db: "AsyncIOMotorDatabase[Document]") -> None:
        self._client = client
        self.db = db

    @classmethod
    def connect(cls, url: str) -> "Store":
        """The database a URL names; connects when first used."""
        client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url,
            tz_aware=True,
            tzinfo=UTC,
            serverSelectionTimeoutMS=SERVER_SELECTION_MS,
            connectTimeoutMS=SERVER_SELECTION_MS,
            w="majority",
        )
        return cls(client, client.get_default_database())

    async def ensure(self, collections: Iterable[Collection]) -> None:
        """Creates what is missing of the declared collections, validators and indexes; idempotent."""
        await asyncio.to_thread(ensure, self._client.delegate[self.db.name], tuple(collections))

    async def commit(self, commit: Commit) -> None:
        """Carries out state and outbox rows in one transaction; a worker's relay publishes the rows.

        Raises BulkWriteError when a write conflicts with what is stored (nothing was written then), and
        ConnectionFailure when the store is away. A caller that gives up does not interrupt it: a session must not
        end while a thread still uses it.
        """
        if commit:
            await asyncio.shield(self._commit(commit))

    async def _commit(self, commit: Commit) -> None:
        async def write(session: AsyncIOMotorClientSession) -> None:
            for name, operations in commit.writes.items():
                if operations:
                    await self.db[name].bulk_write(operations, session=session)
            if commit.outgoing:
                rows = [message.row(UNLEASED) for message in commit.outgoing]
                await self.db[OUTBOX].insert_many(rows, session=session)

        async with await self._client.start_session() as session:
            await session.with_transaction(write)

    async def problems(self) -> list[str]:
        """What keeps the store from answering; empty when nothing does."""
        try:
            async with asyncio.timeout(PING_S):
                await self._client.admin.command("ping")
        except (PyMongoError, TimeoutError) as error:
            return [f"store: {error or 'no answer'}"[:200]]
        return []

    def close(self) -> None:
        """Ends all connections."""
        self._client.close()
