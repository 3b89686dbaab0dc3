"""Tests as they come in: each on record once, and a case with its task for one that failed. Pure."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple, cast

from contracts import rules
from contracts.egress import Outcome, Verdict
from contracts.inspection import Standing, TaskKind, TestFacts, TestKind, TestResult
from services.inspection import store
from services.inspection.cases import cases
from services.inspection.cases.handlings import Earlier
from services.inspection.decision import Decision, system
from services.inspection.documents import Document, Test
from services.inspection.domain import Act
from services.inspection.places import Place, Sites, place, placed, placed_at
from services.inspection.recalls import recalls
from services.inspection.store import Query
from services.inspection.tasks import tasks

_TITLES: Final = {
    TestKind.RESIDUE_QUICK: "农药残留快检不合格",
    TestKind.CLENBUTEROL_QUICK: "瘦肉精快检不合格",
    TestKind.LABORATORY: "监督抽检不合格",
}


class Known(NamedTuple):
    """What is on record about tests that come in: contents by id, earlier cases by item, an event for each batch."""

    contents: Mapping[str, str] = {}
    earlier: Sequence[tuple[str, Earlier]] = ()
    events: Mapping[str, str] = {}


def asked_known(
    decision: Decision, tests: Sequence[TestResult], sites: Sites
) -> Generator[Query, list[Document], Known]:
    """Reads what is on record: yields queries, and is sent rows."""
    on_record = yield Query(store.TESTS, {"_id": {"$in": [test.id for test in tests]}}, {"content": 1})
    events = yield from store.asked_events({test.batch for test in tests if test.batch})
    wanted = [(tested_at(test, sites), test.item) for test in tests if not test.qualified]
    asked = Query(store.CASES, store.earlier_cases(wanted, decision.now), store.EARLIER_FIELDS)
    found = (yield asked) if wanted else []
    earlier = [(row["item"], store.earlier(row)) for row in found]
    return Known({row["_id"]: row["content"] for row in on_record}, earlier, events)


def take_tests(decision: Decision, tests: Iterable[TestResult], known: Known, sites: Sites) -> dict[str, list[Verdict]]:
    """Records tests that are new. Verdicts are by source."""
    seen, verdicts = dict(known.contents), dict[str, list[Verdict]]()
    for test in tests:
        content = content_of(test)
        verdicts.setdefault(test.source, []).append(_verdict(test, content, seen.get(test.id)))
        if test.id not in seen:
            seen[test.id] = content
            row = decision.tests.put(new_row(decision, test, tested_at(test, sites), known.events))
            _lead_on(decision, row, known)
    return verdicts


def take_test(decision: Decision, test: TestResult, known: Known, sites: Sites, act: Act) -> Test:
    """Records a new test that somebody brings by hand."""
    row = new_row(decision, test, tested_at(test, sites), known.events, act.who)
    _lead_on(decision, decision.record_test(row, act), known)
    return row


def tested_at(test: TestResult, sites: Sites) -> Place:
    """Where a test was taken."""
    return place(Place(test.site, test.operator, test.site_name, test.division), sites)


def content_of(test: TestResult) -> str:
    """A digest of what the test says; who carried it here and how does not count."""
    told = test.model_dump_json(exclude={"source", "message_id", "line", "flags"})
    return sha256(told.encode()).hexdigest()[:32]


def new_row(decision: Decision, test: TestResult, where: Place, events: Mapping[str, str], by: str = "") -> Test:
    """A test on record, under the site's id of today; parked when no event names its batch."""
    event = events.get(test.batch or "")
    row: Any = {
        **test.model_dump(exclude={"id"}),
        **placed(where),
        "_id": test.id,
        "version": 1,
        "content": content_of(test),
        "order": tasks.order(test.tested_at, test.id),
        "flags": [flag.model_dump() for flag in test.flags],
        "recorded_at": decision.now,
        "recorded_by": by or test.source,
        "standing": Standing.STANDS.value,
        "objection": None,
        "retest_of": None,
        "retest": None,
        "event": event,
    }
    if test.batch and not event:
        row["parked"] = test.batch
    return cast(Test, row)


def facts(test: Test) -> TestFacts:
    """What is announced of it."""
    return TestFacts.model_validate({**{name: test.get(name) for name in TestFacts.model_fields}, "id": test["_id"]})


def _verdict(test: TestResult, content: str, before: str | None) -> Verdict:
    told = {"message_id": test.message_id, "record": test.line, "event_id": test.id}
    if before is None:
        return Verdict(**told, outcome=Outcome.ACCEPTED, flags=test.flags)
    if before == content:
        return Verdict(**told, outcome=Outcome.DUPLICATE)
    return Verdict(**told, outcome=Outcome.REJECTED, errors=(rules.error("id", test.id, "id_reused"),))


def _lead_on(decision: Decision, test: Test, known: Known) -> None:
    """One that failed opens a case and the task to it, and proposes a recall."""
    if test["qualified"]:
        return
    where, id = placed_at(test), test["_id"]
    what = f"{_TITLES[TestKind(test['kind'])]}：{test['product'] or '样品'} {test['item']}"
    words = f"{what} · {where.site_name or where.site}"
    act = system(decision.now, " ".join(filter(None, (test["batch"], test["method"], test["value"]))))
    task_id = tasks.task_id("test", id)
    earlier = [each for item, each in known.earlier if item == test["item"]]
    case = cases.opened("test", id, test["item"], where, decision.now, words, task_id, earlier)
    case = recalls.propose(decision, decision.open_case(case, act), test)
    task = tasks.opened(task_id, TaskKind.SPECIAL, "test", id, test["item"], where, decision.now, words)
    decision.open_task({**task, "case": case["_id"]}, act)
