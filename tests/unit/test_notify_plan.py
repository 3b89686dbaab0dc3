"""Who is told what, on which channel and when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jinja2 import UndefinedError

from contracts import inspection
from contracts.egress import GoodsChange, Quantity
from contracts.findings import Finding, FindingKind, FindingsChangedV1
from contracts.inspection import TaskFacts, TaskKind, TasksChangedV1, TaskState
from contracts.notices import BulletinPublishedV1
from contracts.recalls import EndedRecall, Recall, RecallChange, RecallsChangedV1, RecallsClosedV1, RecallsOpenedV1
from services.notify.deliveries import plan
from services.notify.events import notices
from services.notify.events.events import EVENTS, Occurrence
from services.notify.events.occurrences import occurrences, sites_named
from services.notify.events.templates import render, words
from services.notify.grid import Grid
from services.notify.hours import after_quiet, next_digest
from services.notify.subscriptions import DEFAULTS, in_force, wants

NOON = datetime(2026, 10, 8, 4, 0, tzinfo=UTC)
NIGHT = datetime(2026, 10, 8, 15, 30, tzinfo=UTC)
"""23:30 in Shanghai."""
MORNING = datetime(2026, 10, 8, 23, 0, tzinfo=UTC)
"""07:00 in Shanghai."""

SITE = {
    "_id": "licence:1",
    "name": "第一小学食堂",
    "operator": "uscc:1",
    "division": "370102",
    "cell": "c2",
    "contact_name": "王校长",
    "contact_phone": "13800000001",
}
HEAD = {"officer": "o1", "name": "赵所长", "phone": "13900000001", "wechat": "openid-1"}
GRID = Grid(
    [SITE],
    [
        {
            "_id": "c1",
            "parent": None,
            "division": "370102",
            "station": "st1",
            "station_name": "历下所",
            "officer": HEAD,
        },
        {
            "_id": "c2",
            "parent": "c1",
            "division": "370102",
            "station": "st1",
            "station_name": "历下所",
            "officer": {"officer": "o2", "name": "钱网格员", "phone": "13900000002"},
        },
    ],
)


def finding(**told: Any) -> Finding:
    fields = {
        "id": "F1",
        "kind": FindingKind.OVERDUE_SHIPMENT,
        "open": True,
        "version": 1,
        "site": "licence:1",
        "operator": "uscc:1",
        "division": "370102",
        "batches": ("SL1",),
        "due_at": NOON,
        "opened_at": NOON,
    }
    return Finding.model_validate({**fields, **told})


def happened(now: datetime = NOON, *subscriptions: dict[str, Any], **told: Any) -> list[plan.Row]:
    found = occurrences(FindingsChangedV1(findings=(finding(**told),)), GRID.sites)
    return plan.planned(found, in_force(subscriptions), GRID, frozenset(), now)


def sample(event: str) -> dict[str, str]:
    return {name: f"〔{name}〕" for name in EVENTS[event].fields}


@pytest.mark.parametrize("event", EVENTS)
def test_every_template_renders_for_every_event(event: str) -> None:
    rendered = render(event, sample(event))
    texts = [rendered.title, rendered.text, *rendered.sms.values(), *rendered.wechat.values()]
    assert all(texts)
    assert all(len(text) <= 20 for text in rendered.wechat.values())
    assert all(f"${{{name}}}" in words()[event].sms_body for name in rendered.sms)


@pytest.mark.parametrize(("event", "field"), [(name, field) for name, e in EVENTS.items() for field in e.fields])
def test_a_missing_field_that_a_template_names_is_an_error(event: str, field: str) -> None:
    facts = sample(event)
    full = render(event, facts)
    without = {name: value for name, value in facts.items() if name != field}
    used = any(f"〔{field}〕" in text for text in (full.title, full.text, *full.sms.values(), *full.wechat.values()))
    if used:
        with pytest.raises(UndefinedError):
            render(event, without)
    else:
        assert render(event, without) == full


def test_a_broken_chain_reaches_the_station_by_wechat_first_and_the_cells_officer() -> None:
    rows = {row["recipient"]: row for row in happened()}
    station = rows["station:st1"]
    assert (station["channel"], station["rest"], station["state"]) == ("wechat", ["sms", "in_app"], "pending")
    assert station["addresses"] == {"sms": "13900000001", "wechat": "openid-1"}
    assert "第一小学食堂" in station["text"]
    assert "发货逾期无人收货" in station["text"]
    assert (rows["officer:o2"]["channel"], rows["officer:o2"]["state"]) == ("in_app", "delivered")


@pytest.mark.parametrize(
    ("kind", "event", "channel"),
    [
        (FindingKind.UNKNOWN_SOURCE, "finding_opened", "wechat"),
        (FindingKind.MORE_OUT_THAN_IN, "doubt_opened", "in_app"),
        (FindingKind.QUANTITY_MISMATCH, "doubt_opened", "in_app"),
        (FindingKind.ANIMALS_NOT_ARRIVED, "quarantine_alert", "wechat"),
    ],
)
def test_what_is_missing_what_does_not_look_true_and_live_animals_are_told_apart(
    kind: FindingKind, event: str, channel: str
) -> None:
    rows = happened(NIGHT, kind=kind, allowed="40 HEA", told="0 HEA", document="3701000111")
    station = next(row for row in rows if row["recipient"] == "station:st1")
    assert (station["event"], station["channel"]) == (event, channel)
    assert ("应为 40 HEA，实为 0 HEA" in station["text"]) is (event != "finding_opened")
    closed = happened(open=False, version=2, closed_at=NOON, kind=kind)
    assert {row["event"] for row in closed} == {"finding_closed" if event == "finding_opened" else "doubt_closed"}


def test_the_same_word_twice_is_the_same_deliveries() -> None:
    assert {row["_id"] for row in happened()} == {row["_id"] for row in happened(NIGHT)}
    again = happened(open=False, version=2, closed_at=NOON)
    assert {row["_id"] for row in again}.isdisjoint({row["_id"] for row in happened()})


def test_a_channel_without_an_address_is_passed_over() -> None:
    test = inspection.TestFacts(
        id="T1",
        source="market",
        message_id="m",
        kind=inspection.TestKind.RESIDUE_QUICK,
        item="毒死蜱",
        site="licence:1",
        division="370102",
        qualified=False,
        tested_at=NOON,
    )
    told = Occurrence("n", "recall", "n", 1, sample("recall"), site="licence:1", division="370102")
    rows = {row["recipient"]: row for row in plan.planned([told], in_force([]), GRID, frozenset(), NOON)}
    assert (rows["site:licence:1"]["channel"], rows["site:licence:1"]["rest"]) == ("sms", ["in_app"])
    assert rows["site:licence:1"]["inbox"] == "operator:uscc:1"
    failed = [
        *occurrences(inspection.TestsRecordedV1(tests=(test, test.model_copy(update={"qualified": True}))), GRID.sites)
    ]
    assert [each.event for each in failed] == ["test_failed"]


def test_quiet_hours_hold_a_notice_until_morning_and_no_recall() -> None:
    def of(kind: str) -> plan.Row:
        notice = {"_id": "N1", "kind": kind, "title": "召回", "text": "全部批次", "issuer": "省局"}
        told = [notices.occurrence(notice, SITE)]
        rows = plan.planned(told, in_force([]), GRID, frozenset(), NIGHT)
        return next(row for row in rows if row["recipient"] == "site:licence:1")

    assert of("notice")["due_at"] == MORNING
    assert of("recall")["due_at"] == of("order")["due_at"] == NIGHT
    assert of("recall")["urgency"] < of("order")["urgency"] < of("notice")["urgency"]


def test_a_stop_holds_a_notice_and_no_statutory_order() -> None:
    stopped = frozenset({("sms", "13800000001")})
    for kind, channel in (("notice", "in_app"), ("order", "sms")):
        told = Occurrence("n", kind, "n", 1, sample(kind), site="licence:1", operator="uscc:1", division="370102")
        rows = plan.planned([told], in_force([]), GRID, stopped, NOON)
        assert next(row for row in rows if row["recipient"] == "site:licence:1")["channel"] == channel


def test_filters_by_division_operator_category_and_severity() -> None:
    (told,) = occurrences(FindingsChangedV1(findings=(finding(categories=("meat",)),)), GRID.sites)
    base = {**next(row for row in DEFAULTS if row["_id"] == "default:finding:station"), "_id": "S1"}
    assert wants(base, told, "370102")
    for field, value in (
        ("divisions", ["370200"]),
        ("division", "36"),
        ("operators", ["uscc:2"]),
        ("categories", ["dairy"]),
        ("severity", 3),
        ("events", ["recall"]),
    ):
        assert not wants({**base, field: value}, told, "370102"), field
    assert wants({**base, "divisions": ["370100"], "categories": ["meat", "dairy"], "severity": 2}, told, "370102")


def test_a_default_ends_when_a_stored_row_says_so() -> None:
    ended = [{**default, "deleted": True} for default in DEFAULTS]
    assert not in_force(ended)
    assert not happened(NOON, *ended)


def test_a_digest_bundles_what_was_held_and_never_a_statutory_order() -> None:
    daily = {**DEFAULTS[3], "_id": "S1", "digest": True, "events": ["finding_opened", "recall"]}
    others = [{**default, "deleted": True} for default in DEFAULTS]
    held = [row for id in ("F1", "F2") for row in happened(NOON, daily, *others, id=id)]
    assert {row["state"] for row in held} == {"held"}
    assert {row["due_at"] for row in held} == {next_digest(NOON)} == {datetime(2026, 10, 9, 0, 0, tzinfo=UTC)}
    (group,) = plan.by_recipient(held)
    one = plan.digested(group, NIGHT)
    assert (one["state"], one["event"], one["channel"], one["rest"]) == (
        "pending",
        "digest",
        "wechat",
        ["sms", "in_app"],
    )
    assert one["text"].count("断链预警") == 2
    told = Occurrence("n", "recall", "n", 1, sample("recall"), site="licence:1", division="370102")
    assert {row["state"] for row in plan.planned([told], in_force([daily, *others]), GRID, frozenset(), NOON)} == {
        "pending"
    }


def test_a_task_is_told_to_its_officers_and_escalates_once_for_each_time() -> None:
    task = TaskFacts(
        id="T1",
        kind=TaskKind.DAILY,
        state=TaskState.OPEN,
        version=1,
        title="核查断链",
        cause="finding",
        site="licence:1",
        division="370102",
        officers=("o2", "o9"),
        due_at=NOON,
        opened_at=NOON,
    )

    def causes(**told: Any) -> list[str]:
        body = TasksChangedV1(tasks=(task.model_copy(update=told),))
        return [each.cause for each in occurrences(body, {})]

    assert causes() == ["task:T1:task_opened"]
    assert causes(escalations=2) == ["task:T1:task_opened", "task:T1:task_overdue:2"]
    assert causes(state=TaskState.INSPECTED) == []
    assert causes(state=TaskState.CLOSED, escalations=2) == ["task:T1:task_closed"]
    rows = plan.planned(occurrences(TasksChangedV1(tasks=(task,)), {}), in_force([]), GRID, frozenset(), NOON)
    assert {row["recipient"]: row["channel"] for row in rows} == {"officer:o2": "sms", "officer:o9": "in_app"}


def test_a_bulletin_reaches_every_station_of_its_division() -> None:
    body = BulletinPublishedV1(month="2026-09", version=1, division="370000", frozen_at=NOON)
    rows = plan.planned(occurrences(body, {}), in_force([]), GRID, frozenset(), NOON)
    assert [row["recipient"] for row in rows] == ["station:st1"]
    assert "山东省" in rows[0]["title"]


@pytest.mark.parametrize(
    ("hour", "held"), [(13, False), (14, True), (15, True), (22, True), (23, False)], ids=lambda value: str(value)
)
def test_quiet_hours_pass_midnight(hour: int, held: bool) -> None:
    now = datetime(2026, 10, 8, hour, 0, tzinfo=UTC)
    due = after_quiet({"start": "22:00", "until": "07:00"}, now)
    assert (due > now) is held
    assert not held or due == datetime(2026, 10, 8, 23, 0, tzinfo=UTC)


def test_the_named_person_is_reached_by_wechat_where_it_is_known() -> None:
    known = Grid([{**SITE, "contact_wechat": "openid-9"}], [])
    told = Occurrence("n", "recall", "n", 1, sample("recall"), site="licence:1", division="370102")
    [row] = [row for row in plan.planned([told], in_force([]), known, frozenset(), NOON) if "site:" in row["recipient"]]
    assert (row["channel"], row["rest"]) == ("wechat", ["sms", "in_app"])
    assert row["addresses"] == {"wechat": "openid-9", "sms": "13800000001"}


PROPOSAL = inspection.RecallProposal(
    id="R1",
    state=inspection.RecallState.PROPOSED,
    version=1,
    case_id="C1",
    test_id="Q1",
    batch="SL1",
    item="克伦特罗",
    product="猪肉",
    site="licence:1",
    operator="uscc:1",
    division="370102",
    recall_class=1,
    proposed_at=NIGHT,
    start_by=NIGHT + timedelta(hours=24),
    finish_days=10,
)


def test_a_proposed_recall_reaches_station_and_site_at_night_in_two_languages() -> None:
    body = inspection.RecallsProposedV1(proposals=(PROPOSAL,))
    rows = plan.planned(occurrences(body, GRID.sites), in_force([]), GRID, frozenset(), NIGHT)
    assert {row["recipient"]: row["channel"] for row in rows} == {"station:st1": "wechat", "site:licence:1": "sms"}
    assert {(row["due_at"], row["statutory"], row["urgency"]) for row in rows} == {(NIGHT, True, 1)}
    chinese, english = rows[0]["text"].splitlines()
    assert "建议一级召回，最迟 2026-10-09 23:30 启动" in chinese
    assert "batch SL1 failed a test" in english


def test_a_recall_that_was_taken_back_is_told_to_nobody() -> None:
    withdrawn = PROPOSAL.model_copy(update={"state": inspection.RecallState.WITHDRAWN, "version": 2})
    assert [*occurrences(inspection.RecallsProposedV1(proposals=(withdrawn,)), GRID.sites)] == []


def recall(*sites: str, version: int = 1) -> RecallsOpenedV1:
    told = {"id": "RC1", "version": version, "batches": ("SL1",), "product": "猪肉", "reason": "检出克伦特罗"}
    more = {"recall_class": 1, "issuer": "某肉联厂", "opened_at": NIGHT, "sites": sites}
    return RecallsOpenedV1(recalls=(Recall.model_validate({**told, **more}),))


def test_an_opened_recall_reaches_everybody_who_holds_the_goods_first_and_at_night() -> None:
    body = recall("licence:1", "licence:2")
    assert sites_named(body) == {"licence:1", "licence:2"}
    grid = Grid([SITE, {**SITE, "_id": "licence:2", "operator": "uscc:2", "name": "第二小学食堂"}], GRID.cells.values())
    rows = plan.planned(occurrences(body, grid.sites), in_force([]), grid, frozenset(), NIGHT)
    persons = {row["recipient"]: row for row in rows if row["recipient"].startswith("site:")}
    assert {*persons} == {"site:licence:1", "site:licence:2"}
    assert {(row["due_at"], row["urgency"], row["channel"]) for row in persons.values()} == {(NIGHT, 0, "sms")}
    chinese, english = persons["site:licence:2"]["text"].splitlines()
    assert "第二小学食堂：批次 SL1，检出克伦特罗" in chinese
    assert "recall. Stop selling" in english


def recall_changed(*goods: GoodsChange, version: int = 2) -> RecallsChangedV1:
    (told,) = recall("licence:1").recalls
    facts = told.model_dump(exclude={"sites", "version"})
    return RecallsChangedV1(changes=(RecallChange(**facts, version=version, goods=goods),))


def kilograms(quantity: str) -> Quantity:
    return Quantity(quantity=quantity, unit="KGM")


def test_what_late_records_change_lies_in_the_inboxes_of_its_site_and_station_once_a_version() -> None:
    less = GoodsChange(site="licence:1", batch="SL1", balance_before=kilograms("6"), balance=kilograms("4"))
    made = GoodsChange(site="licence:1", batch="M", balance_before=kilograms("4"))
    body = recall_changed(less, made)
    assert sites_named(body) == {"licence:1"}
    rows = plan.planned(occurrences(body, GRID.sites), in_force([]), GRID, frozenset(), NIGHT)
    assert {row["recipient"]: row["channel"] for row in rows} == {"site:licence:1": "in_app", "station:st1": "in_app"}
    chinese, english = rows[0]["text"].splitlines()
    assert "应剩数量（第 2 版）：SL1 6 kg → 4 kg；M 4 kg → 不明" in chinese
    assert "change what should be there (version 2)" in english
    next_version = occurrences(recall_changed(less, version=3), GRID.sites)
    assert len({each.cause for each in (*occurrences(body, GRID.sites), *next_version)}) == 2


def recall_closed(*sites: str, version: int = 2) -> RecallsClosedV1:
    (told,) = recall(*sites, version=version).recalls
    ended = {"closed_at": NOON, "closed_reason": "已全部召回"}
    return RecallsClosedV1(recalls=(EndedRecall.model_validate(told.model_dump() | ended),))


def test_whoever_was_told_of_a_recall_is_told_of_its_end() -> None:
    own = {**DEFAULTS[0], "_id": "S1", "events": ["recall"], "audience": "address", "severity": 3}
    own["address"] = {"webhook_url": "https://example.org"}
    other = {**own, "_id": "S2", "events": ["order"]}
    told, end = (
        plan.planned(occurrences(body, GRID.sites), in_force([own, other]), GRID, frozenset(), NIGHT)
        for body in (recall("licence:1"), recall_closed("licence:1"))
    )
    assert {row["recipient"] for row in end} == {row["recipient"] for row in told}
    assert "address:S1" in {row["recipient"] for row in end}
    chinese, english = end[0]["text"].splitlines()
    assert "召回于 2026-10-08 12:00 结束。批次 SL1，已全部召回" in chinese
    assert "the recall ended" in english


def test_the_end_of_a_recall_is_the_last_word_on_it() -> None:
    (opened,), (end,) = ([*occurrences(body, GRID.sites)] for body in (recall("licence:1"), recall_closed("licence:1")))
    assert (opened.subject, opened.version) == (end.subject, end.version - 1)


def test_a_site_that_is_named_again_was_told_and_a_new_one_is() -> None:
    def deliveries(body: RecallsOpenedV1) -> set[str]:
        rows = plan.planned(occurrences(body, GRID.sites), in_force([]), GRID, frozenset(), NOON)
        return {row["_id"] for row in rows}

    assert deliveries(recall("licence:1", version=2)) == deliveries(recall("licence:1"))
    again = [each.subject for each in occurrences(recall("licence:1", "licence:3", version=2), GRID.sites)]
    assert again == ["recall:RC1:licence:1", "recall:RC1:licence:3"]
