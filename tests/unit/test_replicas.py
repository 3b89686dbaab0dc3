"""What the registry tells of a site, as the services that keep a replica of it write it down."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import bson
import pytest

from contracts.registry import OperatorState, SiteFacts, SitesChangedV1
from services.inspection import replica as inspection
from services.notify import store as notify
from services.notify.writes import replicated
from services.reporting import store as reporting
from services.trace import replica as trace

NOW = datetime(2026, 3, 15, 6, tzinfo=UTC)
WHOLE = SiteFacts(
    site="licence:JY13701050012345",
    operator="uscc:91370105MA3F72T8XQ",
    name="王记蔬菜批发",
    operator_name="王秀兰",
    state=OperatorState.ACTIVATED,
    version=1,
    licence_valid_until=date(2027, 6, 30),
    activated_at=NOW,
    closed_from=NOW,
    closed_until=NOW,
)


def _of_notify(told: SiteFacts) -> Any:
    return replicated([SitesChangedV1(sites=(told,))])[notify.SITES][0]


WRITES = (inspection.site_changed, reporting.site_changed, trace.site_changed, _of_notify)


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__module__)
def test_a_site_with_every_date_can_be_stored(write: Callable[[SiteFacts], Any]) -> None:
    """BSON knows times and no dates: one site with a day in it would stop its whole message."""
    assert bson.encode({"u": write(WHOLE)._doc})


def test_facts_are_the_same_after_a_store() -> None:
    assert SiteFacts.model_validate(bson.decode(bson.encode(WHOLE.model_dump()))) == WHOLE.model_copy(
        update={name: NOW.replace(tzinfo=None) for name in ("activated_at", "closed_from", "closed_until")}
    )
