"""The commands, group by group."""

import logging

import typer

from clients.cli import (
    analysing,
    cases,
    check,
    dead,
    declaring,
    egress,
    events,
    findings,
    grid,
    inspecting,
    lives,
    notices,
    operators,
    phases,
    publish,
    queues,
    recalling,
    reports,
    risks,
    rosters,
    samples,
    sites,
    standards,
    subscribing,
    testing,
    token,
    trace,
    verify,
    watching,
)
from clients.cli.asking import asks
from clients.cli.recall_tables import SHOW_STOCK
from clients.cli.task_tables import SHOW_TASKS

app = typer.Typer(
    name="shilian",
    help="食链：追溯、上报与试跑、闭环办理、通知、通报、死信。Trace, publish, close the loop, notify, report.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
trace.app.add_typer(analysing.app)
trace.app.add_typer(declaring.app)
app.add_typer(trace.app, name="trace")
app.command()(trace.holders)
asks(app, "stock", SHOW_STOCK)(recalling.stock)
app.command()(verify.verify)
app.command()(publish.publish)
app.command()(check.check)
app.command()(egress.egress)
app.command()(queues.queues)
app.command()(token.token)
asks(app, "worklist", SHOW_TASKS)(inspecting.worklist)
asks(app, "ledger", samples.SHOW_LEDGER)(samples.ledger)
app.add_typer(dead.app, name="dead")
operators.app.add_typer(lives.app)
rosters.app.add_typer(phases.app)
notices.app.add_typer(subscribing.app)
reports.app.add_typer(standards.app)
app.add_typer(operators.app, name="operators")
app.add_typer(sites.app, name="sites")
app.add_typer(rosters.app, name="roster")
app.add_typer(grid.app, name="grid")
app.add_typer(findings.app, name="finding")
app.add_typer(events.app, name="event")
inspecting.app.command("watch")(watching.watch)
app.add_typer(inspecting.app, name="inspect")
app.add_typer(cases.app, name="case")
app.add_typer(samples.app, name="sample")
app.add_typer(testing.app, name="test")
app.add_typer(risks.app, name="risk")
app.add_typer(recalling.app, name="recall")
app.add_typer(notices.app, name="notify")
app.add_typer(reports.app, name="report")


def main() -> None:
    """Exit status: 0 done, 1 failed, 2 bad usage or input."""
    # pika tells every failed attempt at length; our own message says it.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    app()


if __name__ == "__main__":
    main()
