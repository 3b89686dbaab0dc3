"""The clocks of a recall by its class."""

from datetime import timedelta

import pytest

from contracts.recalls import CLOCKS


@pytest.mark.parametrize(("recall_class", "hours", "working_days"), [(1, 24, 10), (2, 48, 20), (3, 72, 30)])
def test_a_recall_begins_and_ends_by_its_class(recall_class: int, hours: int, working_days: int) -> None:
    """食品召回管理办法 art. 13 and 18."""
    clock = CLOCKS[recall_class]
    assert (clock.recall_class, clock.start, clock.finish_days) == (recall_class, timedelta(hours=hours), working_days)
