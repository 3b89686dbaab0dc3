"""gRPC calls about tests: a laboratory's results, objections, shared results: translate, delegate."""

# ruff: noqa: N802 - gRPC's names

from typing import Any, cast

from pymongo.errors import BulkWriteError
from shilian.inspection.v1 import inspection_pb2 as pb

from chassis import clock
from chassis.api.calls import current_caller
from chassis.api.errors import InvalidArgument, NotFound
from chassis.api.once import once
from chassis.api.pages import page_size, page_token, position
from chassis.asking import answered_later
from chassis.collisions import ATTEMPTS, is_collision
from chassis.outgoing import Commit
from contracts import rules
from contracts.inspection import TestResult
from services.inspection import queries, store
from services.inspection.cases import cases
from services.inspection.decision import Decision, Shelf
from services.inspection.documents import Case, Task, Test
from services.inspection.domain import Act
from services.inspection.reading import Reading, commit
from services.inspection.requests import act, laboratory_test, required
from services.inspection.results import parking, results, retests, sharing
from services.inspection.store import Query
from services.inspection.tasks import tasks
from services.inspection.translate import refused, shared_message, test_message


class ResultCalls(Reading):
    """Tests on record. What the caller may not see is not found."""

    async def ListTests(self, request: pb.ListTestsRequest, context: Any) -> pb.ListTestsResponse:
        size, (before,) = page_size(request), position(request, str) or [""]
        qualified = False if request.failed_only else None
        asked = queries.newest(
            current_caller(), request.division, before, qualified=qualified, site=request.site_id, batch=request.batch
        )
        found = await self._page(store.TESTS, asked, [("order", -1)], size)
        return pb.ListTestsResponse(
            tests=[test_message(cast(Test, test)) for test in found[:size]],
            next_page_token=page_token(request, [found[size - 1]["order"]]) if len(found) > size else "",
        )

    async def FindSharedTests(self, request: pb.FindSharedTestsRequest, context: Any) -> pb.FindSharedTestsResponse:
        required(batch=request.batch, item=request.item)
        size, (before,) = page_size(request), position(request, str) or [""]
        now = clock.stamp()
        asked = queries.shared(request.batch, request.item, request.method, now - sharing.LONGEST, before)
        found = await self._page(store.TESTS, asked, [("order", -1)], size)
        valid = [(test, sharing.valid_until(test["kind"], test["tested_at"])) for test in found[:size]]
        return pb.FindSharedTestsResponse(
            tests=[shared_message(cast(Test, test), until) for test, until in valid if until > now],
            next_page_token=page_token(request, [found[size - 1]["order"]]) if len(found) > size else "",
        )

    async def RecordTest(self, request: pb.RecordTestRequest, context: Any) -> pb.RecordTestResponse:
        answer = await once(self._store, request, pb.RecordTestResponse, self._record)
        if answer.test.batch and not answer.test.event_id:
            await self._link(answer.test.batch)
        return answer

    async def ObjectToTest(self, request: pb.ObjectToTestRequest, context: Any) -> pb.ObjectToTestResponse:
        return await once(self._store, request, pb.ObjectToTestResponse, self._object)

    async def _record(self, request: pb.RecordTestRequest) -> tuple[pb.RecordTestResponse, Commit]:
        doing = act(current_caller(), clock.stamp(), note=request.report_number)
        first = await self._to_retest(request.retest_of) if request.retest_of else None
        test = laboratory_test(request, doing.who, doing.at, first)
        decision, sites = await self._about(first, doing), await self._sites([test.site])
        known = await answered_later(results.asked_known(decision, [test], sites), self._ask)
        if test.id in known.contents:
            return await self._again(test, known.contents[test.id]), Commit()
        with refused():
            if first:
                row = retests.record(decision, test, first, known, sites, doing)
            else:
                row = results.take_test(decision, test, known, sites, doing)
        return _recorded(row), commit(decision)

    async def _to_retest(self, id: str) -> Test:
        found = await self._db[store.TESTS].find_one(queries.to_retest(current_caller(), id))
        if found is None:
            raise NotFound("test", id)
        return cast(Test, found)

    async def _again(self, test: TestResult, content: str) -> pb.RecordTestResponse:
        if content != results.content_of(test):
            raise InvalidArgument([rules.error("report_number", test.message_id, "id_reused")])
        return _recorded(cast(Test, await self._visible(store.TESTS, test.id)))

    async def _object(self, request: pb.ObjectToTestRequest) -> tuple[pb.ObjectToTestResponse, Commit]:
        doing = act(current_caller(), clock.stamp(), note=request.reason, evidence=request.evidence)
        test = cast(Test, await self._visible(store.TESTS, request.test_id))
        decision = await self._about(test, doing)
        with refused():
            after = retests.object_to(decision, test, doing)
        return pb.ObjectToTestResponse(test=test_message(after)), commit(decision)

    async def _about(self, test: Test | None, doing: Act) -> Decision:
        """What a test led to: its case and its task."""
        if test is None:
            return Decision(doing.at)
        cases_of = await self._ask(Query(store.CASES, {"_id": cases.case_id("test", test["_id"])}))
        tasks_of = await self._ask(Query(store.TASKS, {"_id": tasks.task_id("test", test["_id"])}))
        shelves = Shelf(cast("list[Task]", tasks_of)), Shelf(cast("list[Case]", cases_of))
        return Decision(doing.at, *shelves, tests=Shelf([test]))

    async def _link(self, batch: str) -> None:
        """An event that named the batch while the test was recorded has not seen it: links them now."""
        for _ in range(ATTEMPTS):
            found = await answered_later(parking.asked_parked([batch]), self._ask)
            decision = Decision(clock.stamp(), cases=Shelf(found.cases), tests=Shelf(found.tests))
            parking.link(decision, found)
            try:
                return await self._store.commit(commit(decision))
            except BulkWriteError as error:
                if not is_collision(error):  # A worker linked some of them meanwhile.
                    raise
        return None


def _recorded(test: Test) -> pb.RecordTestResponse:
    """A test with the case it led to or decides about."""
    led = not test["qualified"] or test["retest_of"]
    case = cases.case_id("test", test["retest_of"] or test["_id"]) if led else ""
    return pb.RecordTestResponse(test=test_message(test), case_id=case)
