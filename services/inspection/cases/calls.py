"""gRPC calls about cases: translate, delegate."""

# ruff: noqa: N802 - gRPC's names

from collections.abc import Callable
from typing import Any, cast

from shilian.inspection.v1 import inspection_pb2 as pb

from chassis import clock
from chassis.api.calls import current_caller
from chassis.api.errors import Aborted, InvalidArgument
from chassis.api.once import once
from chassis.api.pages import page_size, page_token, position
from chassis.outgoing import Commit
from contracts import rules
from services.inspection import queries, store
from services.inspection.cases import cases
from services.inspection.cases.message import case_message
from services.inspection.decision import Decision, Shelf
from services.inspection.documents import Case, Task
from services.inspection.domain import Act, Step
from services.inspection.places import Place, placed_at
from services.inspection.reading import Reading, commit
from services.inspection.requests import act, act_facts, required
from services.inspection.rules import Refused
from services.inspection.translate import refused, word


class CaseCalls(Reading):
    """Cases, their musts and gates. What the caller may not see is not found."""

    async def GetCase(self, request: pb.GetCaseRequest, context: Any) -> pb.GetCaseResponse:
        return pb.GetCaseResponse(case=case_message(await self._case(request.case_id)))

    async def ListCases(self, request: pb.ListCasesRequest, context: Any) -> pb.ListCasesResponse:
        size, (before,) = page_size(request), position(request, str) or [""]
        state = word(pb.CaseState, "CASE_STATE", request.state)
        recall = word(pb.RecallState, "RECALL_STATE", request.recall)
        told = {"state": state, "site": request.site_id, "recall.state": recall}
        asked = queries.newest(current_caller(), request.division, before, **told)
        found = await self._page(store.CASES, asked, [("order", -1)], size)
        return pb.ListCasesResponse(
            cases=[case_message(cast(Case, case)) for case in found[:size]],
            next_page_token=page_token(request, [found[size - 1]["order"]]) if len(found) > size else "",
        )

    async def OpenCase(self, request: pb.OpenCaseRequest, context: Any) -> pb.OpenCaseResponse:
        return await once(self._store, request, pb.OpenCaseResponse, self._open)

    async def EstablishFacts(self, request: pb.EstablishFactsRequest, context: Any) -> pb.EstablishFactsResponse:
        return await once(self._store, request, pb.EstablishFactsResponse, self._establish)

    async def ResolveMust(self, request: pb.ResolveMustRequest, context: Any) -> pb.ResolveMustResponse:
        return await once(self._store, request, pb.ResolveMustResponse, self._resolve)

    async def RecordGate(self, request: pb.RecordGateRequest, context: Any) -> pb.RecordGateResponse:
        return await once(self._store, request, pb.RecordGateResponse, self._gate)

    async def RecordHandling(self, request: pb.RecordHandlingRequest, context: Any) -> pb.RecordHandlingResponse:
        return await once(self._store, request, pb.RecordHandlingResponse, self._handle)

    async def DecidePenalty(self, request: pb.DecidePenaltyRequest, context: Any) -> pb.DecidePenaltyResponse:
        return await once(self._store, request, pb.DecidePenaltyResponse, self._decide)

    async def CloseCase(self, request: pb.CloseCaseRequest, context: Any) -> pb.CloseCaseResponse:
        return await once(self._store, request, pb.CloseCaseResponse, self._close)

    async def _open(self, request: pb.OpenCaseRequest) -> tuple[pb.OpenCaseResponse, Commit]:
        if bool(request.task_id) == bool(request.test_id):
            raise InvalidArgument([rules.error("task_id", request.task_id, "required")])
        doing = act(current_caller(), clock.stamp(), note=request.title)
        if request.test_id:
            return await self._open_of_test(request, doing)
        task = await self._task(request.task_id)
        with refused():
            if not any(taken["step"] == Step.FIND_PROBLEM for taken in task["taken"]) and task["cause"] != "test":
                raise Refused("no_problem", {"state": task["state"]})
        cause, of = cases.root(task)
        return await self._file(cause, of, task["item"], placed_at(task), request.title or task["title"], task, doing)

    async def _open_of_test(self, request: pb.OpenCaseRequest, doing: Act) -> tuple[pb.OpenCaseResponse, Commit]:
        test = await self._visible(store.TESTS, request.test_id)
        with refused():
            if test["qualified"]:
                raise Refused("no_problem")
        where = Place(*(test[name] for name in Place._fields))
        return await self._file("test", test["_id"], test["item"], where, request.title or test["item"], None, doing)

    async def _file(
        self, cause: str, of: str, item: str, where: Place, title: str, task: Task | None, doing: Act
    ) -> tuple[pb.OpenCaseResponse, Commit]:
        id = (task and task["case"]) or cases.case_id(cause, of)
        case = cast("Case | None", await self._db[store.CASES].find_one({"_id": id}))
        decision = Decision(doing.at, Shelf([task] if task else []), Shelf([case] if case else []))
        if case is None:
            earlier = await self._earlier(where, item)
            new = cases.opened(cause, of, item, where, doing.at, title, task["_id"] if task else None, earlier)
            case = decision.open_case(new, doing)
        if task:
            decision.link(task, case)
        return pb.OpenCaseResponse(case=case_message(case)), commit(decision)

    async def _establish(self, request: pb.EstablishFactsRequest) -> tuple[pb.EstablishFactsResponse, Commit]:
        facts, doing = act_facts(request.facts), act(current_caller(), clock.stamp())
        case, made = await self._case_step(
            request.case_id, "establish", doing, "established", lambda case: cases.establish(case, doing, facts)
        )
        return pb.EstablishFactsResponse(case=case), made

    async def _resolve(self, request: pb.ResolveMustRequest) -> tuple[pb.ResolveMustResponse, Commit]:
        must = word(pb.Must, "MUST", request.must)
        required(must=must)
        doing = act(current_caller(), clock.stamp(), note=request.reason, evidence=request.evidence)
        case, made = await self._case_step(
            request.case_id,
            f"must:{must}",
            doing,
            "done" if request.done else "refused",
            lambda case: cases.resolve_must(case, doing, must, request.done),
        )
        return pb.ResolveMustResponse(case=case), made

    async def _gate(self, request: pb.RecordGateRequest) -> tuple[pb.RecordGateResponse, Commit]:
        gate = word(pb.CaseGate, "CASE_GATE", request.gate)
        required(gate=gate)
        doing = act(current_caller(), clock.stamp(), note=request.note, evidence=request.evidence)
        case, made = await self._case_step(
            request.case_id, f"gate:{gate}", doing, "passed", lambda case: cases.record_gate(case, doing, gate)
        )
        return pb.RecordGateResponse(case=case), made

    async def _handle(self, request: pb.RecordHandlingRequest) -> tuple[pb.RecordHandlingResponse, Commit]:
        party = word(pb.Party, "PARTY", request.party)
        required(party=party)
        doing = act(current_caller(), clock.stamp(), note=request.note, evidence=request.evidence)
        case, made = await self._case_step(
            request.case_id, f"handling:{party}", doing, "held", lambda case: cases.record_handling(case, doing, party)
        )
        return pb.RecordHandlingResponse(case=case), made

    async def _decide(self, request: pb.DecidePenaltyRequest) -> tuple[pb.DecidePenaltyResponse, Commit]:
        penalty = word(pb.Penalty, "PENALTY", request.penalty)
        required(penalty=penalty)
        doing = act(current_caller(), clock.stamp(), note=request.reason, evidence=request.evidence)
        persons = [person for person in request.persons if person.strip()]
        case, made = await self._case_step(
            request.case_id,
            "decide",
            doing,
            penalty,
            lambda case: cases.decide(case, doing, penalty, request.amount, request.clause, persons),
        )
        return pb.DecidePenaltyResponse(case=case), made

    async def _close(self, request: pb.CloseCaseRequest) -> tuple[pb.CloseCaseResponse, Commit]:
        doing = act(current_caller(), clock.stamp(), note=request.note)

        def closing(case: Case) -> Case:
            if request.version not in (0, case["version"]) and not case["closed_at"]:
                raise Aborted("version_changed", f"version is {case['version']} now")
            return cases.close(case, doing)

        case, made = await self._case_step(request.case_id, "close", doing, "closed", closing)
        return pb.CloseCaseResponse(case=case), made

    async def _case_step(
        self, id: str, action: str, doing: Act, outcome: str, step: Callable[[Case], Case]
    ) -> tuple[pb.Case, Commit]:
        case = await self._case(id)
        decision = Decision(doing.at, cases=Shelf([case]))
        with refused():
            after = decision.case_step(case, step(case), action, doing, outcome)
        return case_message(after), commit(decision)
