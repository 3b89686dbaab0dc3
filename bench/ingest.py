"""Ingest: from a full capture queue to all stored and announced."""

import time
from datetime import UTC, datetime
from typing import Final

from pydantic_core import from_json

from bench import halves, plain
from bench.chain import Chain
from bench.ground import Ground
from bench.line import Contender, Load
from bench.result import Result, Side, measured
from services.trace import store
from services.trace.evidence.sealing import BLOCKS

SINGLE, STOCK, BUNDLED, PER_BUNDLE = 20_000, 2_500, 40_000, 100
CHUNK: Final = 1_000
"""Documents to one `insert_many`."""

OURS: Final = Contender("trace", ("services.trace", "worker"))
TWO: Final = Contender("two", ("services.trace", "worker"), processes=2)
RAW_LOOP: Final = Contender("raw_loop", ("bench.raw_loop",))
STOCK_NAMEKO: Final = Contender("stock", ("bench.stock",), answers=False)


def ingest_single(ground: Ground, rounds: int) -> Result:
    """One event to a message: ours, a raw pika loop, stock nameko."""
    load, less = Load.of(SINGLE), Load.of(STOCK)
    return measured(
        "ingest_single",
        "events/s",
        rounds,
        ours=lambda: OURS.trial(ground, load),
        limit=Side("raw pika loop, no checks", lambda: RAW_LOOP.trial(ground, load), 0.6),
        peer=Side("stock nameko @consume, insert_one", lambda: STOCK_NAMEKO.trial(ground, less), 10.0),
    )


def ingest_bundle(ground: Ground, rounds: int) -> Result:
    """A hundred events to a message: ours, and `insert_many` of the same documents with no bus at all."""
    load = Load.of(BUNDLED, PER_BUNDLE)
    return measured(
        "ingest_bundle",
        "events/s",
        rounds,
        ours=lambda: OURS.trial(ground, load),
        limit=Side("insert_many, no bus", lambda: _insert_many(ground, load), 0.35),
    )


def two_workers(ground: Ground, rounds: int) -> Result:
    """Two workers on one queue beside one."""
    load = Load.of(SINGLE)
    return measured(
        "two_workers",
        "events/s",
        rounds,
        ours=lambda: TWO.trial(ground, load),
        limit=Side("one worker", lambda: OURS.trial(ground, load), 1.0),
    )


def _insert_many(ground: Ground, load: Load) -> float:
    """Events per second into the same collection; the documents are made before the clock starts."""
    now = datetime.now(UTC)
    told = [record for body in load.bodies for record in from_json(body)["records"]]
    rows = [plain.event(record, record["message_id"], now) for record in told]
    with ground.field(store.COLLECTIONS) as field:
        started, blocks = time.monotonic(), Chain()
        for at in range(0, len(rows), CHUNK):
            documents, block = blocks.seal(rows[at : at + CHUNK], now)
            field.db[store.EVENTS].insert_many(documents, ordered=False)
            field.db[BLOCKS].insert_one(block)
            halves.upsert(field.db, rows[at : at + CHUNK])
        return len(rows) / (time.monotonic() - started)
