"""The loop closes: goods nobody received become a finding, a task, a message on a phone, and a case that is closed.

Services do what they do by themselves; whatever a person does is a call with that person's token.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from shilian.inspection.v1 import inspection_pb2 as pb
from shilian.notify.v1 import notify_pb2
from shilian.trace.v1 import trace_pb2

from demo.desk import Desk, Person, awaited
from demo.generator.grid import Station
from demo.generator.papers import Paper
from demo.generator.trouble import Trouble
from demo.moment import Moment, at
from demo.phones import Phones

Json = dict[str, Any]
Say = Callable[[str], object]

SERVICE: Final = "平台 platform"
"""Who does what nobody asked for."""

EVENT: Final = "finding_opened"

GATES: Final = {
    pb.CASE_GATE_CAUSE_NOT_FOUND: "原因已查清：收货员未登记",
    pb.CASE_GATE_PEOPLE_NOT_PUNISHED: "责任人已受警告",
    pb.CASE_GATE_LESSON_NOT_GIVEN: "全员培训签到表",
    pb.CASE_GATE_MEASURES_NOT_CARRIED_OUT: "整改照片、补录凭证",
}
"""四个不放过, and what is brought for each."""


class Step(NamedTuple):
    """A row of what is shown: when (simulated), who, what, and what state it led to."""

    at: datetime
    who: str
    what: str
    state: str


@dataclass
class Told:
    """What the loop came to; `test_case` is the case that the failed test became."""

    steps: list[Step] = field(default_factory=list)
    finding: str = ""
    task: str = ""
    case: str = ""
    case_state: str = ""
    deliveries: list[Json] = field(default_factory=list)
    test_case: str = ""
    messages: list[Json] = field(default_factory=list)

    def summary(self) -> Json:
        """What `summary.json` says."""
        kept = ("finding", "task", "case", "case_state", "deliveries", "test_case")
        return {
            **{name: getattr(self, name) for name in kept},
            "steps": [{**step._asdict(), "at": step.at.isoformat()} for step in self.steps],
            "messages": [{name: sent[name] for name in ("provider", "to", "text")} for sent in self.messages],
        }


class Loop:
    """One walk round; `publish` has one of the trouble's papers sent by its own system."""

    def __init__(self, desk: Desk, clock: Moment, phones: Phones, station: Station, first: date, say: Say) -> None:
        self._desk, self._clock, self._phones, self._station, self._first = desk, clock, phones, station, first
        self._say = say
        self._head, self._one, self._two = (Person(each.name, station.division) for each in station.officers)
        self.told = Told()

    def walk(self, trouble: Trouble, publish: Callable[[Paper], object]) -> Told:
        """From the second day's morning to the closed case. Raises TimeoutError for what does not come by itself."""
        site = trouble.receipt.site
        self._note(trouble.shipment.time, trouble.shipment.site.name, f"发货给 {site.name}，无人收货", "shipped")
        self._phones.order("wechat", fault="refuse")
        self._clock.move(at(self._first + timedelta(days=1), 9))
        self._found(trouble)
        self._inspect()
        self._file()
        publish(trouble.test)
        self._failed_test(trouble)
        self._clock.move(trouble.receipt.sent)
        publish(trouble.receipt)
        self._rectify(site.name)
        self._clock.move(at(self._first + timedelta(days=9), 10))
        self._recheck()
        self._close()
        self._phones.order("wechat")
        officer = self._station.officers[0]
        self.told.messages = self._phones.messages(officer.wechat, officer.phone)
        return self.told

    def _found(self, trouble: Trouble) -> None:
        """The finding, its task and its message, none of which anybody asks for."""
        site, batch = trouble.receipt.site.id, trouble.shipment.lines[0].lot.code
        wanted = trace_pb2.ListFindingsRequest(kind="overdue_shipment", open=True, site_id=site or "")
        finding = awaited("the finding", lambda: [one for one in self._ask(wanted).findings if batch in one.batches])[0]
        self.told.finding = finding.finding_id
        self._did(SERVICE, f"发货逾期无人收货 {finding.finding_id[:9]}", "finding open")
        asked = pb.ListTasksRequest(site_id=site or "", open_only=True)
        tasks = awaited("the task", lambda: self._of_finding(self._ask(asked).tasks))
        self.told.task = tasks[0].task_id
        self._did(SERVICE, f"检查任务 {self.told.task[:9]} → {self._station.name}", "task open")
        self._await_message()

    def _of_finding(self, tasks: Any) -> list[pb.Task]:
        return [task for task in tasks if self.told.finding in {cited.finding_id for cited in task.findings}]

    def _await_message(self) -> None:
        """WeChat refuses, so an SMS goes out; its receipt comes back over the callback."""
        wanted = notify_pb2.ListDeliveriesRequest(
            cause=f"finding:{self.told.finding}", event=EVENT, recipient=f"station:{self._station.id}"
        )

        def arrived() -> list[Any]:
            found = self._ask(wanted).deliveries
            return list(found) if any(each.state == notify_pb2.DELIVERY_STATE_DELIVERED for each in found) else []

        for each in sorted(awaited("the message", arrived), key=lambda each: each.create_time.ToNanoseconds()):
            channel = notify_pb2.Channel.Name(each.channel).removeprefix("CHANNEL_").lower()
            state = notify_pb2.DeliveryState.Name(each.state).removeprefix("DELIVERY_STATE_").lower()
            self.told.deliveries.append({"channel": channel, "state": state, "error": each.error})
            self._did(f"{SERVICE} → {each.name}", f"{each.title} ({channel})", f"{state} {each.error}".strip())

    def _inspect(self) -> None:
        """Two officers look, and order what is to be put right."""
        task = self.told.task
        record = pb.RecordInspectionRequest(task_id=task, problem_found=True, account=_account("货在店内，收货未登记"))
        self._refused(record, self._one, "记录检查")
        officers = [self._one.name, self._two.name]
        self._step(pb.AssignTaskRequest(task_id=task, officers=officers, reason="就近"), self._head, "指派两名检查人员")
        self._step(record, self._one, "检查：发现问题")
        order = pb.OrderRectificationRequest(task_id=task, items=["补录收货", "健全进货查验记录"])
        self._step(order, self._one, "责令限期整改")

    def _file(self) -> None:
        case = self._call(pb.OpenCaseRequest(task_id=self.told.task, title="未按规定记录进货查验"), self._head).case
        self.told.case = case.case_id
        self._did(self._head.name, f"立案 {case.case_id[:9]}", "case open")
        facts = pb.ActFacts(value="860", trader=True)
        found = self._call(pb.EstablishFactsRequest(case_id=case.case_id, facts=facts), self._head).case
        advice = "；".join(suggestion.text for suggestion in found.suggestions)
        self._did(self._head.name, f"查明事实，裁量建议：{advice}", "case open")

    def _failed_test(self, trouble: Trouble) -> None:
        """The case that a failed quick test opens by itself."""
        stall = trouble.test.lines[0].to
        asked = pb.ListCasesRequest(site_id=(stall and stall.id) or "")
        case = awaited("the failed test's case", lambda: list(self._ask(asked, division="370000").cases))[0]
        self.told.test_case = case.case_id
        self._did(SERVICE, f"{case.title} → 立案 {case.case_id[:9]}", "case open")

    def _rectify(self, receiver: str) -> None:
        wanted = trace_pb2.GetFindingRequest(finding_id=self.told.finding)
        awaited("the end of the finding", lambda: not self._ask(wanted).finding.open)
        self._did(receiver, "补录收货，断链闭合", "finding closed")
        account = _account("已补录收货并培训", "补录凭证")
        self._step(pb.RecordRectificationRequest(task_id=self.told.task, account=account), self._one, "整改完成")

    def _recheck(self) -> None:
        recheck = pb.RecordRecheckRequest(task_id=self.told.task, passed=True, account=_account("记录齐全"))
        self._refused(recheck, self._one, "复查")
        self._step(recheck, self._head, "复查：合格")

    def _close(self) -> None:
        """Through the musts and the gates; the last gate is missing once."""
        case = self.told.case
        stopped = pb.ResolveMustRequest(
            case_id=case, must=pb.MUST_STOP_AND_RECTIFY, done=True, evidence=["责令改正通知书"]
        )
        self._step_case(stopped, "四个必须：停止并整改")
        penalty = pb.DecidePenaltyRequest(
            case_id=case, penalty=pb.PENALTY_WARNING, persons=["收货员"], reason="首次，已改正", evidence=["处罚决定书"]
        )
        self._step_case(penalty, "四个必须：处罚（警告）")
        *gates, last = GATES
        for gate in gates:
            self._step_case(pb.RecordGateRequest(case_id=case, gate=gate, evidence=[GATES[gate]]), GATES[gate])
        self._refused(pb.CloseCaseRequest(case_id=case), self._head, "结案")
        self._step_case(pb.RecordGateRequest(case_id=case, gate=last, evidence=[GATES[last]]), GATES[last])
        self._step_case(pb.CloseCaseRequest(case_id=case), "结案")

    def _step(self, request: Any, who: Person, what: str) -> None:
        task = self._call(request, who).task
        self._did(who.name, what, f"task {pb.TaskState.Name(task.state).removeprefix('TASK_STATE_').lower()}")

    def _step_case(self, request: Any, what: str) -> None:
        case = self._call(request, self._head).case
        self.told.case_state = pb.CaseState.Name(case.state).removeprefix("CASE_STATE_").lower()
        self._did(self._head.name, what, f"case {self.told.case_state}")

    def _refused(self, request: Any, who: Person, what: str) -> None:
        self._did(who.name, what, f"refused: {self._desk.refusal(request, who)}")

    def _call(self, request: Any, who: Person) -> Any:
        return self._desk.ask(request, who)

    def _ask(self, request: Any, division: str = "") -> Any:
        return self._desk.ask(request, Person(self._head.name, division) if division else self._head)

    def _did(self, who: str, what: str, state: str) -> None:
        self._note(self._clock.now(), who, what, state)

    def _note(self, when: datetime, who: str, what: str, state: str) -> None:
        self.told.steps.append(Step(when, who, what, state))
        self._say(f"{when:%m-%d %H:%M} {who} {what}: {state}")


def _account(note: str, *evidence: str) -> pb.Account:
    return pb.Account(note=note, evidence=evidence or ["现场照片"], location="店内收货区")
