"""One run on a running stack: founded, published, the loop walked, the bulletin written, counted and asked about."""

import shutil
import time
from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

from demo import founding
from demo.bulletin import Bulletin, publish_bulletin
from demo.correcting import STAGE, Correction, correct
from demo.counting import Speed, by_reason, count, latency
from demo.desk import PROVINCE, Desk
from demo.diary import Diary
from demo.generator import LAST_DAY, LATE, MONTH, SYNC, TEST, UNTOLD, Message, Month
from demo.generator.grid import stations
from demo.generator.papers import Paper
from demo.generator.roster import rosters
from demo.generator.world import QUARANTINE
from demo.inquiry import inquire
from demo.loop import Loop, Told
from demo.moment import Moment, at
from demo.phones import Phones
from demo.platform import Platform
from demo.publishers import Publishers
from demo.questions import Json, Shilian, flag_counts, trace
from demo.recall import Called, Recalling
from demo.result import Plan, Result
from demo.stages import Stages
from demo.standards import set_standards
from deploy.local.stack import Stack

RECORDED: Final = "入链 recorded (少于总数的是重复与拒收 what is missing is duplicate or refused)"
STEADY: Final = 420.0
"""Records a second of a whole province before dawn: what the last day is published at."""

ANSWERS: Final = "200"
"""Messages in an egress queue that are looked at for examples."""


class Play:
    """One run on a running stack, whose clock is `moment`."""

    def __init__(self, plan: Plan, month: Month, stack: Stack, stages: Stages, moment: Moment) -> None:
        self._plan, self._month, self._stages, self._moment = plan, month, stages, moment
        self._platform = Platform(stack, str(plan.seed))
        self._desk = Desk(self._platform.addresses["grpc"], stack.home.private_key)
        folder = plan.folder / "published"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._publishers = Publishers(folder, self._platform.addresses["amqp"])
        self._shilian = Shilian(stack.home.path)
        self._stations = stations(plan.first, plan.seed)

    def run(self) -> Result:
        """Founds the registry, publishes, closes the loop, recalls, has the bulletin written, counts and asks."""
        imported = self._found()
        began = time.monotonic()
        recorded = self._publish(MONTH, "全月 the month")
        throughput = recorded / (time.monotonic() - began)
        self._publish(LAST_DAY, f"最后一天 the last day, {STEADY:.0f} records/s", STEADY)
        with self._stages.stage("settle", "等待队列清空 until every queue is empty"):
            self._platform.await_quiet(lambda _: None)
        speed = self._speed(throughput)
        loop = self._close_loop()
        self._end_month()
        called = self._recall()
        bulletin = self._bulletin()
        return self._result(speed, imported, loop, called, bulletin)

    def close(self) -> None:
        """Lets go of stores and apis."""
        self._desk.close()
        self._platform.close()

    def _found(self) -> list[Json]:
        """The grid, the rosters, those who register, and who looks after whom, on the eve of the month."""
        with self._stages.stage("roster", "名册与网格 rosters and grid") as say:
            founding.lay_grid(self._desk, self._stations)
            say("rosters")
            lists = rosters(self._month.world, self._plan.first, self._plan.seed)
            answers = founding.import_rosters(self._desk, lists)
        self._publish(SYNC, "主体 who there is")
        with self._stages.stage("activate", "激活与帮扶 activation, 1:1 contacts") as say:
            founding.look_after(self._desk, self._stations)
            founding.activate(self._desk)
            set_standards(self._desk, self._plan.first)
        return [_imported(roster.file, answer) for roster, answer in zip(lists, answers, strict=True)]

    def _publish(self, stage: str, title: str, rate: float | None = None) -> int:
        """Returns how many records were stored, once nothing is on its way any more."""
        messages = self._messages(stage)
        before = self._platform.recorded()
        totals = {**Counter(message.app for message in messages), RECORDED: _records(messages)}
        with self._stages.bars(stage, title, totals) as bars:
            self._publishers.publish(stage, messages, bars.show, rate)
            self._platform.await_accounted(self._told(), lambda stored: bars.show(RECORDED, stored - before))
        return self._platform.recorded() - before

    def _messages(self, stage: str) -> list[Message]:
        return [message for message in self._month.messages if message.stage == stage]

    def _made(self, source: str) -> int:
        return _records([message for message in self._month.messages if message.app == source])

    def _told(self) -> int:
        """Records published so far that no earlier one is a duplicate of."""
        return sum(sent.records - sent.duplicates for sent in self._publishers.log())

    def _close_loop(self) -> Told:
        trouble = self._month.trouble
        station = next(each for each in self._stations if each.division == trouble.receipt.site.division)

        def publish(paper: Paper) -> None:
            stage = TEST if paper is trouble.test else LATE
            self._publishers.publish(stage, self._messages(stage), lambda *_: None)

        with (
            self._stages.stage("loop", "闭环 the loop") as say,
            closing(Phones(self._platform.addresses["http"]["deploy.simulator.web"])) as phones,
        ):
            diary = Diary(self._desk, self._moment, say)
            return Loop(diary, phones, station, publish).walk(trouble, self._plan.first)

    def _end_month(self) -> None:
        """The last evening: what became overdue meanwhile has its findings, self-built systems declare."""
        with self._stages.stage("month_end", "月末 the month runs out") as say:
            span = monthrange(self._plan.first.year, self._plan.first.month)[1]
            end = at(self._plan.first.replace(day=span), 22)
            self._moment.move(end)
            founding.declare(self._desk, QUARANTINE, f"{self._plan.first:%Y-%m}", self._made(QUARANTINE))
            self._platform.await_rest(end, say)

    def _recall(self) -> Called:
        def publish() -> None:
            self._publishers.publish(UNTOLD, self._messages(UNTOLD), lambda *_: None)

        with (
            self._stages.stage("recall", "召回 the recall") as say,
            self._platform.overheard("egress.recalls.v1") as heard,
        ):
            diary = Diary(self._desk, self._moment, say)
            return Recalling(diary, self._platform, publish, heard).walk(self._month.recalled)

    def _bulletin(self) -> Bulletin:
        """The fifth comes."""
        with self._stages.stage("bulletin", "通报 the bulletin") as say:
            plan = self._plan
            return publish_bulletin(self._desk, self._platform, self._moment, plan.first, plan.folder, say)

    def _result(self, speed: Speed, imported: list[Json], loop: Told, called: Called, bulletin: Bulletin) -> Result:
        with self._stages.stage("count", "清点 count"):
            dead = self._platform.dead_letters()
            counted = count(self._publishers.log(), self._platform.recorded(), dead)
            flagged = flag_counts(self._platform.addresses["grpc"]["trace"], self._desk.token(PROVINCE))
        with self._stages.stage("ask", "追溯 trace"):
            sources = sorted({message.app for message in self._month.messages})
            story, folder = self._month.story, self._plan.folder
            return Result(
                count=counted,
                speed=speed,
                rejected=by_reason(dead),
                elsewhere=self._platform.dead_elsewhere(),
                flagged=flagged,
                findings=self._platform.findings(),
                egress={source: self._egress(source) for source in sources},
                rosters=imported,
                loop=loop,
                recall=called,
                bulletin=bulletin,
                inquiry=inquire(self._shilian, story, folder / "pig.svg"),
                lunch=trace(self._shilian, story.lunch.code, "backward", folder / "lunch.svg"),
                tainted=trace(self._shilian, story.tainted.code, "forward", folder / "contaminated.svg"),
                recalled=trace(self._shilian, self._month.recalled.lot.code, "forward", folder / "recall.svg"),
                # Last: whatever was counted and asked is as it was before.
                correction=self._correct(story.tainted.code),
            )

    def _correct(self, herd: str) -> Correction:
        def publish(message: Message) -> None:
            self._publishers.publish(STAGE, [message], lambda *_: None)

        def settle() -> None:
            self._platform.await_quiet(lambda _: None)

        return correct(self._shilian, herd, self._month.messages, publish, settle)

    def _speed(self, throughput: float) -> Speed:
        recorded_at = list(self._platform.recorded_at())
        month, last_day = (latency(self._publishers.log(stage), recorded_at) for stage in (MONTH, LAST_DAY))
        return Speed(throughput, month, STEADY, last_day)

    def _egress(self, source: str) -> list[Json]:
        answers: list[Json] = self._shilian.ask_json("egress", source, "--peek", "--limit", ANSWERS)
        return answers


def _imported(file: str, answer: Any) -> Json:
    """A list, as the registry took it in, and what was wrong with single rows."""
    taken = answer.roster_import
    errors = [{"row": error.row, "field": error.field, "rule": error.rule} for error in answer.errors]
    return {"file": file, "rows": taken.rows, "refused": taken.refused, "errors": errors}


def _records(messages: Sequence[Message]) -> int:
    return sum(message.records for message in messages)
