"""The life of a delivery, walked exhaustively."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.deliveries import outcomes
from services.notify.deliveries.retries import TRAITS, URGENT_RETRIES, Accepted, Outcome, Refusal, Trouble
from services.notify.domain import FINAL, TRANSITIONS, Channel, NotAllowed, State, Step, after, delivery_id
from services.notify.settings import NotifySettings

NOW = datetime(2026, 10, 8, 3, 0, tzinfo=UTC)
PUSHED = [channel for channel in Channel if channel is not Channel.IN_APP]

ASK_AFTER = timedelta(seconds=60)

answers = st.one_of(st.just(Accepted("p1")), st.builds(Refusal, st.sampled_from(Trouble), st.just("code")))


def attempted(delivery: outcomes.Row, outcome: Outcome, now: datetime) -> outcomes.Settled:
    return outcomes.attempted(delivery, outcome, now, ASK_AFTER)


def answered(delivery: outcomes.Row, answer: Outcome | None, now: datetime) -> outcomes.Settled:
    return outcomes.answered(delivery, answer, now, ASK_AFTER)


def row(channel: Channel = Channel.SMS, rest: tuple[str, ...] = ("in_app",), **told: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "_id": delivery_id("c", "station:1", channel),
        "cause": "c",
        "event": "finding_opened",
        "recipient": "station:1",
        "channel": channel.value,
        "rest": list(rest),
        "state": "sending",
        "attempts": 1,
        "version": 2,
        "first_at": NOW,
        "statutory": False,
        "addresses": {},
        "facts": {},
    }
    return {**fields, **told}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("step", Step)
def test_a_step_is_allowed_only_where_the_table_says(state: State, step: Step) -> None:
    if (state, step) in TRANSITIONS:
        assert after(state, step) is TRANSITIONS[state, step]
    else:
        with pytest.raises(NotAllowed):
            after(state, step)


def test_every_state_is_reached_and_every_final_one_is_left_by_none() -> None:
    # Rows begin held or pending, or delivered when they are in the inbox.
    assert {*TRANSITIONS.values()} | {State.HELD, State.PENDING, State.DELIVERED} == {*State}
    assert not FINAL & {state for state, _ in TRANSITIONS}


@given(st.sampled_from(PUSHED), st.booleans(), st.lists(answers, min_size=60, max_size=60), st.booleans())
def test_any_answers_lead_to_an_end_and_never_to_a_second_sending_of_unknown_fate(
    channel: Channel, statutory: bool, script: list[Outcome], found: bool
) -> None:
    """Whatever a provider says: it ends; an uncertain attempt is repeated only where the provider recognises it."""
    delivery = row(channel, statutory=statutory, attempts=0, state="pending")
    now = NOW
    uncertain = False
    followed = None
    for outcome in script:
        if delivery["state"] == "pending":
            if uncertain:
                traits = TRAITS[channel]
                assert traits.can_be_asked or now < NOW + (traits.repeatable_for or timedelta(0))
            delivery |= {"state": "sending", "attempts": delivery["attempts"] + 1, "version": delivery["version"] + 1}
            settled = attempted(delivery, outcome, now)
            uncertain = uncertain or (isinstance(outcome, Refusal) and outcome.trouble is Trouble.UNCERTAIN)
        elif delivery["state"] == "unknown" and delivery["due_at"]:
            answer: Outcome | None = outcome if found else None
            settled = answered(delivery, answer, now)
        else:
            break
        assert settled.now["version"] == delivery["version"] + 1
        delivery, followed = settled.now, settled.next or followed
        now = max(now, delivery["due_at"] or now)
    assert delivery["state"] in {"sent", "failed", "unknown"}
    assert delivery["state"] != "unknown" or delivery["due_at"] is None
    if delivery["state"] in {"failed", "unknown"}:
        assert followed is not None
        assert (followed["channel"], followed["state"]) == ("in_app", "delivered")
    else:
        assert followed is None


def test_refused_by_wechat_goes_on_by_sms_and_then_into_the_inbox() -> None:
    refused = Refusal(Trouble.REFUSED, "errcode_43004")
    first = attempted(row(Channel.WECHAT, ("sms", "in_app"), addresses={"sms": "1"}), refused, NOW)
    assert (first.now["state"], first.now["error"]) == ("failed", "errcode_43004")
    assert first.next is not None
    assert (first.next["channel"], first.next["state"], first.next["rest"]) == ("sms", "pending", ["in_app"])
    assert first.next["attempts"] == 0
    assert first.next["_id"] == delivery_id("c", "station:1", Channel.SMS)


def test_what_a_robot_may_have_shown_is_not_pushed_again_unless_the_law_is_at_stake() -> None:
    lost = Refusal(Trouble.UNCERTAIN, "ReadTimeoutError")
    ordinary = attempted(row(Channel.WECOM, ("sms", "in_app")), lost, NOW)
    assert ordinary.now["state"] == "unknown"
    assert ordinary.next is not None
    assert ordinary.next["channel"] == "in_app"
    statutory = attempted(row(Channel.WECOM, ("sms", "in_app"), statutory=True), lost, NOW)
    assert statutory.next is not None
    assert statutory.next["channel"] == "sms"


def test_a_wechat_message_is_repeated_only_while_its_id_is_recognised() -> None:
    lost = Refusal(Trouble.UNCERTAIN, "ReadTimeoutError")
    assert attempted(row(Channel.WECHAT), lost, NOW).now["state"] == "pending"
    assert attempted(row(Channel.WECHAT), lost, NOW + timedelta(minutes=9)).now["state"] == "unknown"


def test_a_clear_failure_after_a_doubtful_attempt_is_repeated_only_while_the_id_is_recognised() -> None:
    away = Refusal(Trouble.AWAY, "http_500")
    doubtful = row(Channel.WECHAT, attempts=4, doubtful=True)
    assert attempted(doubtful, away, NOW).now["state"] == "unknown"
    assert attempted({**doubtful, "doubtful": False}, away, NOW).now["state"] == "pending"


def test_a_recall_waits_less_before_the_next_channel() -> None:
    assert sum(URGENT_RETRIES[Trouble.AWAY]) <= 15


def test_a_receipt_counts_once_and_only_for_what_went_out() -> None:
    sent = row(state="sent")
    delivered = outcomes.received(sent, True, "", NOW)
    assert delivered is not None
    assert delivered.now["state"] == "delivered"
    assert outcomes.received(delivered.now, False, "UNDELIV", NOW) is None
    undelivered = outcomes.received(sent, False, "UNDELIV", NOW)
    assert undelivered is not None
    assert (undelivered.now["state"], undelivered.now["error"]) == ("failed", "UNDELIV")
    assert undelivered.next is not None


def test_a_provider_that_cannot_be_asked_is_given_up_in_the_end() -> None:
    away = Refusal(Trouble.AWAY, "NewConnectionError")
    delivery = row(state="unknown")
    for _ in range(5):
        settled = answered(delivery, away, NOW)
        delivery = settled.now
    assert (delivery["state"], delivery["due_at"]) == ("unknown", None)
    assert settled.next is not None


@pytest.mark.parametrize("seconds", [15, 600])
def test_a_lost_answer_is_asked_after_as_long_as_the_provider_is_given(seconds: int) -> None:
    given = timedelta(seconds=seconds)
    lost = outcomes.attempted(row(), Refusal(Trouble.UNCERTAIN, "ReadTimeoutError"), NOW, given).now
    assert (lost["state"], lost["due_at"]) == ("unknown", NOW + given)
    away = Refusal(Trouble.AWAY, "http_500")
    again = outcomes.answered({**lost, "asked": 1}, away, NOW, given).now
    assert again["due_at"] == NOW + 2 * given


def test_how_long_a_provider_is_given_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert NotifySettings().sms_ask_after_s == 60
    monkeypatch.setenv("SHILIAN_SMS_ASK_AFTER_S", "15")
    assert NotifySettings().sms_ask_after_s == 15
