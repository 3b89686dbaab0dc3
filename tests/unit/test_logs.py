"""What a log line tells, and what it must not."""

import json
import logging
import sys

import pytest
from pymongo.errors import BulkWriteError

from chassis.logs import JsonFormatter, log_context


def line(error: Exception) -> dict[str, str]:
    try:
        raise KeyError("earlier") from error
    except KeyError:
        record = logging.LogRecord("chassis", logging.ERROR, "", 0, "failed", None, sys.exc_info())
    told: dict[str, str] = json.loads(JsonFormatter("probe").format(record))
    return told


def test_a_line_carries_the_context_of_the_work_at_hand() -> None:
    with log_context(correlation_id="c-1"):
        told = line(ValueError("x"))
    assert (told["correlation_id"], told["instance"], told["message"]) == ("c-1", "probe", "failed")


def test_an_exception_is_told_with_its_cause_and_its_stack() -> None:
    told = line(ValueError("quantity"))["exception"]
    assert told.index("ValueError('quantity')") < told.index("test_logs.py") < told.index("KeyError('earlier')")


@pytest.mark.parametrize("words", ["张三", "13800000000"])
def test_a_write_error_is_told_by_its_code_and_not_with_the_document(words: str) -> None:
    told = line(BulkWriteError({"writeErrors": [{"code": 121, "op": {"name": words}}]}))["exception"]
    assert "BulkWriteError [121]" in told
    assert words not in told
