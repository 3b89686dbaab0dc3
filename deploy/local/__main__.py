"""`python -m deploy.local up|down|status|env`: the embedded stack from the command line."""

import shlex
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from deploy.local.errors import StackError
from deploy.local.home import default_directory
from deploy.local.processes import LOCAL
from deploy.local.stack import Stack
from deploy.local.supervise import DEAD

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
console = Console()

Directory = Annotated[
    Path | None, typer.Option("--dir", help="The stack's directory; SHILIAN_STACK_DIR, else .local/stack.")
]


class Part(StrEnum):
    """What `up` can be limited to."""

    INFRA = "infra"


@app.command()
def up(
    directory: Directory = None,
    only: Annotated[Part | None, typer.Option(help="infra: broker and database, no process of ours.")] = None,
) -> None:
    """Start the stack, wait until all of it is ready, and say what listens where."""
    stack = Stack(directory or default_directory())
    with console.status("starting") as progress:
        stack.up(() if only else LOCAL, say=progress.update)
    console.print(_table(stack))
    console.print(f"addresses and credentials: {stack.home.path / 'stack.json'}", soft_wrap=True)


@app.command()
def down(directory: Directory = None) -> None:
    """Stop every process of the stack; its data stays."""
    with console.status("stopping") as progress:
        Stack(directory or default_directory()).down(say=progress.update)
    console.print("down")


@app.command()
def status(directory: Directory = None) -> None:
    """Show each process; exit status 1 unless all that were started run."""
    stack = Stack(directory or default_directory())
    states = stack.states().values()
    console.print(_table(stack) if states else "The stack is down.")
    if not states or any(state.state in DEAD for state in states):
        raise typer.Exit(1)


@app.command()
def env(
    process: Annotated[str, typer.Argument(help="Whose settings: trace.worker, registry.api, …")],
    directory: Directory = None,
) -> None:
    """Print a process's settings as shell exports, to run it by hand."""
    chosen = next((known for known in LOCAL if known.name == process), None)
    if not chosen:
        raise typer.BadParameter(f"one of {', '.join(known.name for known in LOCAL)}")
    for name, value in Stack(directory or default_directory()).environment(chosen).items():
        print(f"export {name}={shlex.quote(value)}")


def _table(stack: Stack) -> Table:
    table = Table(caption="ports on 127.0.0.1, ↻ restarts", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("process", "state", "pid", "uptime", "ports"):
        table.add_column(column, no_wrap=True)
    listening = stack.listening()
    for name, state in stack.states().items():
        uptime = str(timedelta(seconds=state.uptime)) if state.pid else ""
        restarts = f" ↻{state.restarts}" if state.restarts else ""
        table.add_row(name, state.state.lower() + restarts, str(state.pid or ""), uptime, listening.get(name))
    return table


def main() -> None:
    """Run a command; trouble is one message on stderr and exit status 1."""
    try:
        app()
    except (StackError, PermissionError) as trouble:
        Console(stderr=True).print(str(trouble), style="red", markup=False, soft_wrap=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
