"""The run: a stack of its own, whose clock is moved, the month played on it, and the stack taken down again."""

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from demo.generator import generate
from demo.moment import Moment, at
from demo.play import Play
from demo.result import Plan, Result
from demo.stages import Stages
from deploy.local.home import Home
from deploy.local.leftovers import end_processes
from deploy.local.stack import Stack


def run(plan: Plan, console: Console) -> Result:
    """Plays the month and writes `summary.json`. No process of it stays but where it went well and is to be kept."""
    stages = Stages(console)
    with stages.stage("generate", f"生成 generate {plan.first:%Y-%m}"):
        month = generate(plan.first, plan.seed, plan.scale)
    eve = plan.first - timedelta(days=1)
    moment = Moment(plan.folder / "clock", at(eve, 20, 30))
    with (
        leaving(plan.folder / "stack", stages, plan.keep) as stack,
        closing(Play(plan, month, stack, stages, moment)) as play,
    ):
        result = play.run()
        if plan.keep:
            moment.release()
    result.seconds = stages.seconds
    (plan.folder / "summary.json").write_text(json.dumps(result.summary(), ensure_ascii=False, indent=2) + "\n")
    return result


@contextmanager
def leaving(directory: Path, stages: Stages, keep: bool) -> Iterator[Stack]:
    """A stack without a past; its logs stay when it is gone. `keep`: it goes only when something went wrong."""
    end_processes(Home.at(directory))
    for folder in ("mongo", "rabbitmq", "logs"):
        shutil.rmtree(directory / folder, ignore_errors=True)
    # A port of the last run may be somebody else's by now.
    (directory / "ports.json").unlink(missing_ok=True)
    stack = Stack(directory)
    kept = False
    try:
        with stages.stage("start", "启动 start the stack") as say:
            stack.up(say=say)
        yield stack
        kept = keep
    finally:
        if not kept:
            _end(stack, stages)


def _end(stack: Stack, stages: Stages) -> None:
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
