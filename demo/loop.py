"""The loop closes: goods nobody received become a finding, a task, a message on a phone, and a case that is closed.

Services do what they do by themselves; whatever a person does is a call with that person's token.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from shilian.inspection.v1 import inspection_pb2 as pb
from shilian.notify.v1 import notify_pb2
from shilian.trace.v1 import trace_pb2

from contracts.findings import TITLES, FindingKind
from demo import filing
from demo.desk import PROVINCE, Person, awaited
from demo.diary import Diary, Json, Step
from demo.generator.grid import Station
from demo.generator.papers import Paper
from demo.generator.trouble import Trouble
from demo.moment import at
from demo.phones import Phones

PLATFORM: Final = "平台 platform"
"""Who does what nobody asked for."""

RECHECK_AFTER: Final = timedelta(days=9)
"""The month of S3, well within."""


@dataclass
class Told:
    """What the loop came to; `test_case` is the case that the failed test became, `messages` what phones show.

    `times` are the finding's: when the receipt was due, when it was found missing, when it came.
    """

    steps: list[Step] = field(default_factory=list)
    finding: str = ""
    times: dict[str, str] = field(default_factory=dict)
    task: str = ""
    case: str = ""
    case_state: str = ""
    deliveries: list[Json] = field(default_factory=list)
    test_case: str = ""
    messages: list[Json] = field(default_factory=list)

    def summary(self) -> Json:
        """What `summary.json` says."""
        kept = ("finding", "times", "task", "case", "case_state", "deliveries", "test_case")
        return {
            **{name: getattr(self, name) for name in kept},
            "steps": [{**step._asdict(), "at": step.at.isoformat()} for step in self.steps],
            "messages": [{name: sent[name] for name in ("provider", "to", "text")} for sent in self.messages],
        }


class Loop:
    """One walk round, at the station in charge; `publish` has one of the trouble's papers sent by its own system."""

    def __init__(self, diary: Diary, phones: Phones, station: Station, publish: Callable[[Paper], object]) -> None:
        self._diary, self._phones, self._station, self._publish = diary, phones, station, publish
        self._head, self._one, self._two = (Person(each.name, station.division) for each in station.officers)
        self.told = Told(diary.steps)

    def walk(self, trouble: Trouble, first: date) -> Told:
        """From the month's second day to the closed case. Raises TimeoutError for what does not come by itself."""
        site, clock, told = trouble.receipt.site, self._diary.clock, self.told
        shipped = trouble.shipment
        self._diary.note(shipped.site.name, f"发货给 {site.name}，无人收货", "shipped", shipped.time)
        self._phones.order("wechat", fault="refuse")
        clock.move(at(first + timedelta(days=1), 9))
        self._await_finding(site.id or "", shipped.lines[0].lot.code)
        self._await_message()
        self._inspect()
        told.case = filing.file(self._diary, self._head, told.task)
        self._fail_test(trouble.test)
        clock.move(trouble.receipt.sent)
        self._rectify(trouble.receipt)
        clock.move(at(first + RECHECK_AFTER, 10))
        self._recheck()
        told.case_state = filing.close(self._diary, self._head, told.case)
        self._phones.order("wechat")
        officer = self._station.officers[0]
        told.messages = self._phones.messages(officer.wechat, officer.phone, site.phone)
        return told

    def _await_finding(self, site: str, batch: str) -> None:
        """The finding and its task, neither of which anybody asks for."""
        wanted = trace_pb2.ListFindingsRequest(kind="overdue_shipment", open=True, site_id=site)

        def findings() -> list[Json]:
            return [found for found in self._ask(wanted)["findings"] if batch in found["batches"]]

        self.told.finding = awaited("the finding", findings)[0]["finding_id"]
        self._did(f"{TITLES[FindingKind.OVERDUE_SHIPMENT]} {self.told.finding[:9]}", "finding open")
        asked = pb.ListTasksRequest(site_id=site, open_only=True)

        def tasks() -> list[Json]:
            return [task for task in self._ask(asked)["tasks"] if _is_about(task, self.told.finding)]

        self.told.task = awaited("the task", tasks)[0]["task_id"]
        self._did(f"检查任务 {self.told.task[:9]} → {self._station.name}", "task open")

    def _await_message(self) -> None:
        """WeChat refuses, so an SMS goes out; its receipt comes back over the callback."""
        recipient = f"station:{self._station.id}"
        wanted = notify_pb2.ListDeliveriesRequest(cause=f"finding:{self.told.finding}", recipient=recipient)

        def arrived() -> list[Json]:
            found: list[Json] = self._ask(wanted)["deliveries"]
            return found if "delivered" in {each["state"] for each in found} else []

        for each in sorted(awaited("the message", arrived), key=lambda each: str(each["create_time"])):
            self.told.deliveries.append({name: each[name] for name in ("channel", "state", "error")})
            state = f"delivery {each['state']}"
            self._did(f"{each['title']} → {each['name']}（{each['channel']}）{each['error']}", state)

    def _inspect(self) -> None:
        """Two officers look, and order what is to be put right."""
        task = self.told.task
        record = pb.RecordInspectionRequest(task_id=task, problem_found=True, account=_account("货在店内，收货未登记"))
        self._diary.refused(record, self._one, "一人检查")
        assign = pb.AssignTaskRequest(task_id=task, officers=[self._one.name, self._two.name], reason="就近")
        self._diary.call(assign, self._head, f"派员：{self._one.name}、{self._two.name}")
        self._diary.call(record, self._one, "二人检查，发现问题")
        order = pb.OrderRectificationRequest(task_id=task, items=["补录收货", "健全进货查验记录"])
        self._diary.call(order, self._one, "责令限期整改")

    def _fail_test(self, sheet: Paper) -> None:
        """The market's quick test fails: a case is there, and the recall of its batch is proposed."""
        self._publish(sheet)
        stall = sheet.lines[0].to
        wanted = pb.ListCasesRequest(site_id=(stall and stall.id) or "")

        def cases() -> list[Json]:
            return [case for case in self._diary.ask(wanted, PROVINCE)["cases"] if "recall" in case]

        case = awaited("the failed test's case", cases)[0]
        self.told.test_case = case["case_id"]
        self._did(case["title"], f"case {case['state']}")
        recall = case["recall"]
        self._did(f"{recall['product']} {recall['batch']}，{recall['recall_class']} 级", f"recall {recall['state']}")

    def _rectify(self, receipt: Paper) -> None:
        """The receiver records what it received, and the finding closes by itself."""
        self._publish(receipt)
        wanted = trace_pb2.GetFindingRequest(finding_id=self.told.finding)
        found = awaited("the end of the finding", lambda: _closed(self._ask(wanted)["finding"]))
        self.told.times = {name: found[f"{name}_time"] for name in ("due", "opened", "closed")}
        self._diary.note(receipt.site.name, "补录收货，断链闭合", "finding closed")
        account = _account("已补录收货并培训", "补录凭证")
        request = pb.RecordRectificationRequest(task_id=self.told.task, account=account)
        self._diary.call(request, self._one, "整改完成")

    def _recheck(self) -> None:
        recheck = pb.RecordRecheckRequest(task_id=self.told.task, passed=True, account=_account("记录齐全"))
        self._diary.refused(recheck, self._one, "原检查人员复查")
        self._diary.call(recheck, self._head, "另一人复查，合格")

    def _ask(self, request: Any) -> Json:
        return self._diary.ask(request, self._head)

    def _did(self, what: str, state: str) -> None:
        self._diary.note(PLATFORM, what, state)


def _is_about(task: Json, finding: str) -> bool:
    return finding in {cited["finding_id"] for cited in task["findings"]}


def _closed(finding: Json) -> Json:
    return {} if finding["open"] else finding


def _account(note: str, *evidence: str) -> pb.Account:
    return pb.Account(note=note, evidence=evidence or ["现场照片"], location="店内收货区")
