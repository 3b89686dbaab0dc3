"""Times on the wire."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chassis.api.times import timestamp


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_says_what_it_said(time: datetime) -> None:
    stamp = timestamp(time)
    assert stamp is not None
    assert stamp.ToDatetime(UTC) == time


def test_no_time_is_none() -> None:
    assert timestamp(None) is None
