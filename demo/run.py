"""The run: a stack of its own, the month published, counted, asked about, and the stack taken down again."""

import json
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from rich.console import Console

from demo.counting import Count, Speed, by_reason, count, latency
from demo.generator import LAST_DAY, MONTH, SYNC, Message, Month, generate
from demo.platform import Platform
from demo.publishers import Publishers
from demo.questions import Answer, Json, Shilian, flag_counts, trace
from demo.stages import Stages
from deploy.local.leftovers import end_processes
from deploy.local.stack import Stack

RECORDED: Final = "入链 recorded (少于总数的是重复与拒收 what is missing is duplicate or refused)"
STEADY: Final = 420.0
"""Records a second of a whole province before dawn: what the last day is published at."""

ANSWERS: Final = "200"
"""Messages in an egress queue that are looked at for examples."""


@dataclass(frozen=True)
class Plan:
    """What to play, and where its results go."""

    folder: Path
    first: date
    seed: int
    scale: float


@dataclass
class Result:
    """What a run came to; `egress` holds what each source was answered."""

    count: Count
    speed: Speed
    rejected: dict[str, int]
    flagged: dict[str, int]
    egress: dict[str, list[Json]]
    lunch: Answer
    tainted: Answer
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Nothing lost, and both chains without a gap."""
        return self.count.lost == 0 and bool(self.lunch.chain["complete"] and self.tainted.chain["complete"])

    def summary(self) -> Json:
        """What `summary.json` says."""
        return {
            **self.count._asdict(),
            "lost": self.count.lost,
            "batches": {"lunch": self.lunch.summary(), "contaminated": self.tainted.summary()},
            "rejected_by_rule": self.rejected,
            "flagged_by_rule": self.flagged,
            "speed": self.speed.summary(),
            "seconds": self.seconds,
        }


def run(plan: Plan, console: Console) -> Result:
    """Plays the month and writes `summary.json`. Whatever happens, no process of it stays."""
    stages = Stages(console)
    with stages.stage("generate", f"生成 generate {plan.first:%Y-%m}"):
        month = generate(plan.first, plan.seed, plan.scale)
    with _stack(plan.folder / "stack", stages) as stack:
        result = _Play(plan, month, stack, stages).run()
    result.seconds = stages.seconds
    (plan.folder / "summary.json").write_text(json.dumps(result.summary(), ensure_ascii=False, indent=2) + "\n")
    return result


@contextmanager
def _stack(directory: Path, stages: Stages) -> Iterator[Stack]:
    """A stack without a past; its logs stay when it is gone."""
    stack = Stack(directory)
    end_processes(stack.home)
    for folder in ("mongo", "rabbitmq", "logs"):
        shutil.rmtree(directory / folder, ignore_errors=True)
    try:
        with stages.stage("start", "启动 start the stack") as say:
            stack.up(say=say)
        yield stack
    finally:
        with _uninterrupted(), stages.stage("stop", "停止 stop the stack") as say:
            stack.down(say=say)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C must not leave processes behind."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Play:
    """One run on a running stack."""

    def __init__(self, plan: Plan, month: Month, stack: Stack, stages: Stages) -> None:
        self._plan, self._month, self._stages = plan, month, stages
        self._platform = Platform(stack, str(plan.seed))
        folder = plan.folder / "published"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._publishers = Publishers(folder, self._platform.addresses["amqp"])
        self._shilian = Shilian(stack.home.path)

    def run(self) -> Result:
        """Publishes, counts and asks."""
        try:
            self._publish(SYNC, "主体 who there is")
            began = time.monotonic()
            recorded = self._publish(MONTH, "全月 the month")
            throughput = recorded / (time.monotonic() - began)
            self._publish(LAST_DAY, f"最后一天 the last day, {STEADY:.0f} records/s", STEADY)
            with self._stages.stage("settle", "等待队列清空 until every queue is empty"):
                self._platform.await_quiet(lambda _: None)
            return self._result(throughput)
        finally:
            self._platform.close()

    def _publish(self, stage: str, title: str, rate: float | None = None) -> int:
        """Returns how many records were stored, once nothing is on its way any more."""
        messages = [message for message in self._month.messages if message.stage == stage]
        before = self._platform.recorded()
        totals = {**Counter(message.app for message in messages), RECORDED: _records(messages)}
        with self._stages.bars(stage, title, totals) as bars:
            self._publishers.publish(stage, messages, bars.show, rate)
            self._platform.await_accounted(self._told(), lambda stored: bars.show(RECORDED, stored - before))
        return self._platform.recorded() - before

    def _told(self) -> int:
        """Records published so far that no earlier one is a duplicate of."""
        return sum(sent.records - sent.duplicates for sent in self._publishers.log())

    def _result(self, throughput: float) -> Result:
        with self._stages.stage("count", "清点 count"):
            dead = self._platform.dead_letters()
            counted = count(self._publishers.log(), self._platform.recorded(), dead)
            token = self._shilian.ask("token", "--role", "regulator", "--division", "370000").strip()
            flagged = flag_counts(self._platform.addresses["grpc"]["trace"], token)
            speed = self._speed(throughput)
        with self._stages.stage("ask", "追溯 trace"):
            sources = sorted({message.app for message in self._month.messages})
            story, folder = self._month.story, self._plan.folder
            return Result(
                count=counted,
                speed=speed,
                rejected=by_reason(dead),
                flagged=flagged,
                egress={source: self._egress(source) for source in sources},
                lunch=trace(self._shilian, story.lunch.code, "backward", folder / "lunch.svg"),
                tainted=trace(self._shilian, story.tainted.code, "forward", folder / "contaminated.svg"),
            )

    def _speed(self, throughput: float) -> Speed:
        recorded_at = list(self._platform.recorded_at())
        month, last_day = (latency(self._publishers.log(stage), recorded_at) for stage in (MONTH, LAST_DAY))
        return Speed(throughput, month, STEADY, last_day)

    def _egress(self, source: str) -> list[Json]:
        answers: list[Json] = self._shilian.ask_json("egress", source, "--peek", "--limit", ANSWERS)
        return answers


def _records(messages: Sequence[Message]) -> int:
    return sum(message.records for message in messages)
