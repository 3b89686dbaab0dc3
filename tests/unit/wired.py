"""Short ways to adapt a message in a test."""

import json
from datetime import UTC, datetime
from typing import Any

from contracts.envelope import Envelope
from contracts.registry import Observation
from contracts.trace import Record
from services.adapters.adapt import Adapted, adapt
from services.adapters.check import FORMATS

NOON = datetime(2024, 3, 15, 4, 0, tzinfo=UTC)
"""Noon in Shanghai: when messages are sent and received here."""

SHOP = {"licence": "JY13701050012345", "uscc": "91370105MA3F72T8XQ", "division": "370105"}
FARM = {"uscc": "91370181MA3C5X1K0A", "division": "370114"}


def read(name: str, message: Any, at: datetime = NOON) -> Adapted:
    """A message of type `<name>.v1`, given as an object or as bytes, adapted for its system."""
    system = name.partition(".")[0]
    body = message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False).encode()
    envelope = Envelope("m-1", system, f"{name}.v1", NOON)
    return adapt(FORMATS[system], envelope, body, system, at)


def one_record(name: str, message: Any) -> Record:
    """The only record of a message that has nothing refused."""
    adapted = read(name, message)
    assert not adapted.refusals, adapted.refusals
    [record] = adapted.records
    return record


def one_observation(name: str, line: Any) -> Observation:
    """The observation of a synchronisation's only line."""
    adapted = read(name, {"lines": [line]})
    assert not adapted.refusals, adapted.refusals
    [observation] = adapted.observations
    return observation


def batches(record: Record) -> tuple[list[str], list[str]]:
    """Trace codes of what went in and what came out."""
    return [lot.batch for lot in record.inputs], [lot.batch for lot in record.outputs]
