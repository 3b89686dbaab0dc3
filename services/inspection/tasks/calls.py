"""gRPC calls about tasks: translate, delegate."""

# ruff: noqa: N802 - gRPC's names

from collections.abc import AsyncIterator
from typing import Any

from shilian.inspection.v1 import inspection_pb2 as pb

from chassis import clock
from chassis.api.calls import current_caller
from chassis.api.once import once
from chassis.api.pages import page_size, page_token, position
from chassis.outgoing import Commit
from contracts.inspection import TaskKind
from services.inspection import queries, store
from services.inspection.cases import cases
from services.inspection.checks import points
from services.inspection.decision import Decision, Shelf
from services.inspection.documents import Case, Task
from services.inspection.domain import RUNNING, Act, Step
from services.inspection.places import Place, place, placed_at
from services.inspection.reading import Reading, commit
from services.inspection.requests import act, items_of, required
from services.inspection.rules import Refused
from services.inspection.tasks import tasks, watch
from services.inspection.translate import refused, task_message, word


class TaskCalls(Reading):
    """Tasks and their closed loop. What the caller may not see is not found."""

    async def GetTask(self, request: pb.GetTaskRequest, context: Any) -> pb.GetTaskResponse:
        return pb.GetTaskResponse(task=task_message(await self._task(request.task_id)))

    async def ListTasks(self, request: pb.ListTasksRequest, context: Any) -> pb.ListTasksResponse:
        size, (after,) = page_size(request), position(request, str) or [""]
        states = [word(pb.TaskState, "TASK_STATE", state) for state in request.states]
        if request.open_only:
            states = [state for state in RUNNING if not states or state in states]
        asked = queries.tasks_like(
            current_caller(),
            request.division,
            states,
            after,
            station=request.station,
            officers=request.officer,
            site=request.site_id,
            kind=word(pb.TaskKind, "TASK_KIND", request.kind),
        )
        found = await self._page(store.TASKS, asked, [("order", 1)], size)
        return pb.ListTasksResponse(
            tasks=[task_message(task) for task in found[:size]],  # type: ignore[arg-type]
            next_page_token=page_token(request, [found[size - 1]["order"]]) if len(found) > size else "",
        )

    async def WatchTasks(self, request: pb.WatchTasksRequest, context: Any) -> AsyncIterator[pb.WatchTasksResponse]:
        wanted = queries.changes(current_caller(), request.division, station=request.station, officers=request.officer)
        async for task, token in watch.changes(self._db[store.TASKS], wanted, request.resume_token):
            yield pb.WatchTasksResponse(task=task and task_message(task), resume_token=token)

    async def CreateTask(self, request: pb.CreateTaskRequest, context: Any) -> pb.CreateTaskResponse:
        return await once(self._store, request, pb.CreateTaskResponse, self._create)

    async def AssignTask(self, request: pb.AssignTaskRequest, context: Any) -> pb.AssignTaskResponse:
        return await once(self._store, request, pb.AssignTaskResponse, self._assign)

    async def RecordInspection(self, request: pb.RecordInspectionRequest, context: Any) -> pb.RecordInspectionResponse:
        return await once(self._store, request, pb.RecordInspectionResponse, self._inspect)

    async def OrderRectification(
        self, request: pb.OrderRectificationRequest, context: Any
    ) -> pb.OrderRectificationResponse:
        return await once(self._store, request, pb.OrderRectificationResponse, self._order)

    async def RecordRectification(
        self, request: pb.RecordRectificationRequest, context: Any
    ) -> pb.RecordRectificationResponse:
        return await once(self._store, request, pb.RecordRectificationResponse, self._rectify)

    async def RecordRecheck(self, request: pb.RecordRecheckRequest, context: Any) -> pb.RecordRecheckResponse:
        return await once(self._store, request, pb.RecordRecheckResponse, self._recheck)

    async def EscalateTask(self, request: pb.EscalateTaskRequest, context: Any) -> pb.EscalateTaskResponse:
        return await once(self._store, request, pb.EscalateTaskResponse, self._escalate)

    async def CancelTask(self, request: pb.CancelTaskRequest, context: Any) -> pb.CancelTaskResponse:
        return await once(self._store, request, pb.CancelTaskResponse, self._cancel)

    async def _create(self, request: pb.CreateTaskRequest) -> tuple[pb.CreateTaskResponse, Commit]:
        kind = word(pb.TaskKind, "TASK_KIND", request.kind)
        required(kind=kind, title=request.title.strip(), site_id=request.site_id)
        facts = await self._known_site(request.site_id)
        where, items = place(Place(facts.site), {facts.site: facts}), items_of(request, kind, facts.link)
        caller, at = current_caller(), clock.stamp()
        id = tasks.task_id("hand", caller.subject, request.request_id)
        title = request.title.strip()
        decision = Decision(at)
        task = tasks.opened(id, TaskKind(kind), "hand", request.request_id, kind, where, at, title)
        await self._not_repeated(kind, items, bool(request.triggered_by.strip()), where, act(caller, at))
        note = "；".join(filter(None, (title, request.triggered_by.strip())))
        task = decision.open_task({**task, "items": items}, act(caller, at, note=note))
        if request.officers:
            with refused():
                task = decision.step(task, Step.ASSIGN, act(caller, at, officers=request.officers))
        return pb.CreateTaskResponse(task=task_message(task)), commit(decision)

    async def _not_repeated(self, kind: str, items: list[str], triggered: bool, where: Place, doing: Act) -> None:
        """Refuses what a higher level checked here within three months (order 49)."""
        ids = [where.site, *(await self._aliases([where.site]))]
        since = points.months_before(doing.at, points.APART_MONTHS)
        asked = queries.checked_higher(points.higher(doing.level), since, site={"$in": ids})
        found = await self._db[store.TASKS].find(asked, queries.CHECK_FIELDS).to_list(None)
        with refused():
            if before := points.repeated(kind, items, triggered, map(points.check, found)):
                told = {"task": before.task, "level": before.level, "at": before.at.isoformat()}
                raise Refused("checked_by_higher_level", told)

    async def _assign(self, request: pb.AssignTaskRequest) -> tuple[pb.AssignTaskResponse, Commit]:
        doing = act(current_caller(), clock.stamp(), officers=request.officers, note=request.reason)
        task, made = await self._task_step(request.task_id, Step.ASSIGN, doing)
        return pb.AssignTaskResponse(task=task), made

    async def _inspect(self, request: pb.RecordInspectionRequest) -> tuple[pb.RecordInspectionResponse, Commit]:
        officers = request.officers or (await self._task(request.task_id))["officers"]
        step = Step.FIND_PROBLEM if request.problem_found else Step.FIND_NOTHING
        doing = act(current_caller(), clock.stamp(), request.account, officers=officers)
        task, made = await self._task_step(request.task_id, step, doing)
        return pb.RecordInspectionResponse(task=task), made

    async def _order(self, request: pb.OrderRectificationRequest) -> tuple[pb.OrderRectificationResponse, Commit]:
        doing = act(current_caller(), clock.stamp(), request.account, items=request.items)
        task, made = await self._task_step(request.task_id, Step.ORDER, doing)
        return pb.OrderRectificationResponse(task=task), made

    async def _rectify(self, request: pb.RecordRectificationRequest) -> tuple[pb.RecordRectificationResponse, Commit]:
        doing = act(current_caller(), clock.stamp(), request.account)
        task, made = await self._task_step(request.task_id, Step.RECTIFY, doing)
        return pb.RecordRectificationResponse(task=task), made

    async def _escalate(self, request: pb.EscalateTaskRequest) -> tuple[pb.EscalateTaskResponse, Commit]:
        required(reason=request.reason.strip())
        task, made = await self._task_step(
            request.task_id, Step.ESCALATE, act(current_caller(), clock.stamp(), note=request.reason)
        )
        return pb.EscalateTaskResponse(task=task), made

    async def _cancel(self, request: pb.CancelTaskRequest) -> tuple[pb.CancelTaskResponse, Commit]:
        task, made = await self._task_step(
            request.task_id, Step.CANCEL, act(current_caller(), clock.stamp(), note=request.reason)
        )
        return pb.CancelTaskResponse(task=task), made

    async def _task_step(self, id: str, step: Step, doing: Act) -> tuple[pb.Task, Commit]:
        task = await self._task(id)
        decision = Decision(doing.at, tasks=Shelf([task]))
        with refused():
            after = decision.step(task, step, doing)
        return task_message(after), commit(decision)

    async def _recheck(self, request: pb.RecordRecheckRequest) -> tuple[pb.RecordRecheckResponse, Commit]:
        """A re-check that failed is a case, and triggers its second must."""
        task = await self._task(request.task_id)
        doing = act(current_caller(), clock.stamp(), request.account, officers=request.officers)
        step = Step.PASS if request.passed else Step.FAIL
        case, where = await self._case_of(task)
        decision = Decision(doing.at, tasks=Shelf([task]), cases=Shelf([case] if case else []))
        with refused():
            task = decision.step(task, step, doing)
        if step is Step.FAIL:
            if not case or not cases.is_open(case):
                cause, of = cases.again(task) if case else cases.root(task)
                earlier = await self._earlier(where, task["item"])
                new = cases.opened(cause, of, task["item"], where, doing.at, task["title"], task["_id"], earlier)
                case = decision.open_case(new, doing)
            task = decision.link(task, decision.fail_recheck(case, doing))
        return pb.RecordRecheckResponse(task=task_message(task), case_id=task["case"] or ""), commit(decision)

    async def _case_of(self, task: Task) -> tuple[Case | None, Place]:
        """The task's case, if it has one, and where it is."""
        found: Any = await self._db[store.CASES].find_one({"_id": task["case"] or cases.case_id(*cases.root(task))})
        return found, placed_at(task)
