"""Goods are called back: simulated, opened, told to whoever has to know, and grown by what is told too late."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from shilian.inspection.v1 import inspection_pb2
from shilian.notify.v1 import notify_pb2
from shilian.trace.v1 import recall_pb2 as pb

from demo.desk import PROVINCE, awaited
from demo.diary import Diary, Json, Step
from demo.generator.recalled import Recalled
from demo.moment import at
from demo.platform import Platform

HOUR: Final = 9
REASON, ISSUER = "黄曲霉毒素B1超标", "山东省市场监督管理局"
CLASS: Final = 2
"""二级召回: begun within 48 hours of knowing, ended within 20 working days."""

NEXT_LOOK: Final = timedelta(minutes=2)
"""An open recall looks for late records every minute."""

ON_ITS_WAY: Final = frozenset({"pending", "sending", "unknown", "sent"})
"""States of a message of a channel that gives receipts."""


@dataclass
class Called:
    """What the recall came to; `simulation` before it was opened, `final` with what was told late, `heard` the goods
    that each source was told of, `tasks` what inspection opened, one at each site.
    """

    steps: list[Step]
    recall: Json = field(default_factory=dict)
    simulation: Json = field(default_factory=dict)
    final: Json = field(default_factory=dict)
    deliveries: list[Json] = field(default_factory=list)
    heard: Mapping[str, list[Json]] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    tasks: int = 0

    @property
    def grown(self) -> bool:
        """Whether people and sources were told, and the site that was told late is in it."""
        return bool(self.deliveries and self.heard and self.added)

    def summary(self) -> Json:
        """What `summary.json` says."""
        return {
            "recall": self.recall["recall_id"],
            "batches": self.recall["batches"],
            "version": self.recall["version"],
            "sites": [version["sites"] for version in self.recall["versions"]],
            "added": self.added,
            "tasks": self.tasks,
            "simulated": _told(self.simulation),
            "final": _told(self.final),
            "deliveries": dict(Counter(f"{each['channel']} {each['state']}" for each in self.deliveries)),
            "heard": {source: len(goods) for source, goods in self.heard.items()},
            "steps": [{**step._asdict(), "at": step.at.isoformat()} for step in self.steps],
        }


class Recalling:
    """One recall by the province; `publish` has both papers of the handover sent that nobody had told of, `heard`
    tells what sources were told of recalls.
    """

    def __init__(
        self, diary: Diary, platform: Platform, publish: Callable[[], object], heard: Callable[[], list[Json]]
    ) -> None:
        self._diary, self._platform, self._publish, self._heard = diary, platform, publish, heard
        self.called = Called(diary.steps)

    def walk(self, goods: Recalled) -> Called:
        """The morning before the late papers come. Raises TimeoutError for what does not come by itself."""
        called, clock = self.called, self._diary.clock
        clock.move(at(goods.receipt.sent.date(), HOUR))
        called.simulation = self._simulate(goods.lot.code)
        self._open(goods.lot.code)
        self._await_messages()
        clock.move(goods.receipt.sent)
        self._tell_late(goods)
        return called

    def _simulate(self, batch: str) -> Json:
        found: Json = self._ask(pb.SimulateRecallRequest(batches=[batch]))["simulation"]
        self._did(f"模拟召回 {batch}：{found['sites']} 处场所，{covered(found)}", "recall simulated")
        return found

    def _open(self, batch: str) -> None:
        order = pb.OpenRecallRequest(batches=[batch], reason=REASON, recall_class=CLASS, issuer=ISSUER)
        self.called.recall = self._diary.call(order, PROVINCE, f"启动二级召回：{REASON}")

    def _await_messages(self) -> None:
        """Whoever answers for a site, and its station, are told; the systems that reported of it hear it too."""
        self._await_told()
        names = sorted({each["name"] for each in self.called.deliveries})
        self._diary.note("平台 platform", f"通知 {len(names)} 个收件人：{'、'.join(names[:3])}等", "recall told")
        goods = _count(self.called.heard)
        self._diary.note("平台 platform", f"告知报送系统 {'、'.join(self.called.heard)}：{goods} 处货物", "recall told")

    def _await_told(self) -> None:
        """More messages than before have arrived, and more goods are in egress queues."""
        called = self.called
        asked = notify_pb2.ListDeliveriesRequest(cause=f"recall:{called.recall['recall_id']}", page_size=500)

        def arrived() -> list[Json]:
            found: list[Json] = self._ask(asked)["deliveries"]
            waiting = any(each["state"] in ON_ITS_WAY for each in found if each["channel"] in ("sms", "in_app"))
            return [] if waiting or len(found) <= len(called.deliveries) else found

        def heard() -> dict[str, list[Json]]:
            found = self._goods()
            return found if _count(found) > _count(called.heard) else {}

        called.deliveries = awaited("the recall's messages", arrived)
        called.heard = awaited("the recall in egress queues", heard)

    def _goods(self) -> dict[str, list[Json]]:
        """Goods of the recall that each source was told of."""
        told: dict[str, list[Json]] = {}
        for each in self._heard():
            told.setdefault(each["source"], []).extend(each["goods"])
        return told

    def _tell_late(self, goods: Recalled) -> None:
        """The recall names the receiver as soon as both papers are on record."""
        before = self._platform.recorded()
        self._publish()
        awaited("the late papers", lambda: self._platform.recorded() >= before + 2)
        self._diary.note(goods.shipment.site.name, f"补报：曾发货给 {goods.receipt.site.name}", "recall late")
        self._diary.clock.move(self._diary.clock.now() + NEXT_LOOK)
        asked = pb.GetRecallRequest(recall_id=self.called.recall["recall_id"])
        told = awaited("the recall's next version", lambda: _grown(self._ask(asked)))
        self.called.recall, self.called.final = told["recall"], told["simulation"]
        self.called.added = [site for version in told["recall"]["versions"][1:] for site in version["site_ids"]]
        self._await_told()
        self._diary.note("平台 platform", f"召回增加 {goods.receipt.site.name}，并通知", "recall grown")
        self.called.tasks = awaited("a task at every site", self._tasks)
        self._diary.note("平台 platform", f"逐处核查召回：{self.called.tasks} 项检查任务", "task open")

    def _tasks(self) -> int:
        """Tasks of the recall, once there is one at every site."""
        recall = self.called.recall
        tasks = int(self._ask(inspection_pb2.GetRecallProgressRequest(recall_id=recall["recall_id"]))["tasks"])
        return tasks if tasks >= int(recall["sites"]) else 0

    def _ask(self, request: Any) -> Json:
        return self._diary.ask(request, PROVINCE)

    def _did(self, what: str, state: str) -> None:
        self._diary.note(PROVINCE.name, what, state)


def covered(simulation: Json) -> str:
    """How much of the goods is accounted for, as people read it."""
    share = simulation.get("share")
    return "覆盖率未知" if share is None else f"覆盖率 {share:.0%}"


def _count(heard: Mapping[str, list[Json]]) -> int:
    return sum(map(len, heard.values()))


def _grown(told: Json) -> Json:
    return told if int(told["recall"]["version"]) > 1 else {}


def _told(simulation: Json) -> Json:
    """What is kept of a simulation."""
    return {
        "sites": simulation["sites"],
        "share": simulation.get("share"),
        "fates": {total["fate"]: total["sites"] for total in simulation["totals"]},
        "divisions": {part["division"]: len(part["operators"]) for part in simulation["divisions"]},
        "complete": simulation["complete"],
    }
