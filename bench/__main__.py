"""`python -m bench`: ours beside the fastest that could be and beside stock, in one run."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Annotated, Final

import typer
from rich.console import Console

from bench import bulletin, calls, ingest, intake, recall, simulate, soak, walk
from bench.child import Died
from bench.ground import Ground
from bench.hearing import Wrong
from bench.result import Result, table, write
from deploy.local.errors import StackError
from deploy.local.home import LOCAL

Benchmark = Callable[[Ground, int], Result | list[Result]]

OUTPUT: Final = LOCAL / "bench.json"
USUAL: Final[dict[str, Benchmark]] = {
    "ingest_single": ingest.ingest_single,
    "ingest_bundle": ingest.ingest_bundle,
    "two_workers": ingest.two_workers,
    "get_operator": calls.get_operator,
    "audited_call": calls.audited_call,
    "worklist_page": calls.worklist_page,
    "fact_intake": intake.fact_intake,
    "trigger_intake": intake.trigger_intake,
    "recall_notice": recall.recall_notice,
    "bulletin": bulletin.bulletin,
    "walk": walk.walk,
    "trace_call": walk.trace_call,
    "recall_simulate": simulate.recall_simulate,
}
LONG: Final[dict[str, Benchmark]] = {
    "bulletin_full": bulletin.bulletin_full,
    "walk_larger": walk.walk_larger,
    "soak": soak.soak,
}

console = Console()
log = logging.getLogger("bench")


def run(
    only: Annotated[str | None, typer.Option(help="Run one benchmark.")] = None,
    full: Annotated[bool, typer.Option("--full", help="The long ones too.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="How often each side is measured.")] = 3,
) -> None:
    """Run the benchmarks, print a table, and write .local/bench.json."""
    benchmarks = chosen(only, full)
    results: list[Result] = []
    load, begun = os.getloadavg()[0], time.monotonic()
    with console.status("starting") as progress, Ground().opened(progress.update) as ground:
        for name, benchmark in benchmarks.items():
            progress.update(name)
            started = time.monotonic()
            found = benchmark(ground, rounds)
            results += found if isinstance(found, list) else [found]
            log.info("%s took %.0f s", name, time.monotonic() - started)
            write(results, OUTPUT)
    console.print(table(results, load, time.monotonic() - begun))


def chosen(only: str | None, full: bool) -> dict[str, Benchmark]:
    """The benchmarks to run, by name. Raises typer.BadParameter for a name that is none."""
    known = USUAL | LONG
    if only and only not in known:
        raise typer.BadParameter(f"{only} is none of {', '.join(known)}", param_hint="--only")
    if only:
        return {only: known[only]}
    return known if full else USUAL


def main() -> None:
    """Runs; trouble is one message on stderr and exit status 1."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("bench").setLevel(logging.INFO)
    # So that what was started is ended, also when the terminal goes, unless told to outlive it (nohup).
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:
            signal.signal(ending, lambda number, _: sys.exit(128 + number))
    try:
        typer.run(run)
    except (StackError, Died, Wrong) as trouble:
        Console(stderr=True).print(str(trouble), style="red", markup=False, soft_wrap=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
