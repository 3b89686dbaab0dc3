"""`python -m demo`: one month of three cities on a stack of its own, from farms to school lunches."""

import os
import signal
import sys
import time
from datetime import date, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import grpc
import typer
from rich.console import Console

from contracts.fields import SHANGHAI
from demo import report
from demo.generator import last_full_month
from demo.result import Plan
from demo.run import run
from deploy.local.errors import StackError
from deploy.local.home import LOCAL

SEED = 20220701
"""The day from which the 10+3 must trace (S4)."""

WIDE = 160

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    month: Annotated[str, typer.Option(help="YYYY-MM; the last full month when empty.")] = "",
    scale: Annotated[float, typer.Option(min=0, max=1, help="Share of the month's days to play.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Another seed, another month; 0 chooses.")] = 0,
    directory: Annotated[Path, typer.Option("--dir", help="Where stack, pictures and summary go.")] = LOCAL / "demo",
    keep: Annotated[bool, typer.Option("--keep", help="Leave its stack running, to look at with `shilian`.")] = False,
) -> None:
    """Play a month, count every record, trace a lunch and a contaminated batch. Exit 0 only when nothing is lost."""
    # SIGINT too: a shell that starts the demo in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    plan = Plan(directory.resolve(), _first(month), seed or _seed(), scale, keep)
    plan.folder.mkdir(parents=True, exist_ok=True)
    try:
        result = run(plan, console)
    except (StackError, RuntimeError, TimeoutError, grpc.RpcError) as trouble:
        Console(stderr=True).print(str(trouble), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    report.tell(console, result, plan.folder / "stack" if keep else None)
    raise typer.Exit(0 if result.good else 1)


def _first(month: str) -> date:
    if not month:
        return last_full_month(datetime.now(SHANGHAI).date())
    try:
        return datetime.strptime(month, "%Y-%m").replace(tzinfo=SHANGHAI).date()
    except ValueError:
        raise typer.BadParameter(f"{month}: a month is YYYY-MM") from None


def _seed() -> int:
    """Servers of the user's own keep what an earlier run left: there every run is another."""
    own = "SHILIAN_AMQP_URL" in os.environ or "SHILIAN_MONGO_URL" in os.environ
    return int(time.time()) if own else SEED


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    app()
