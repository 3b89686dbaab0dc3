"""The commands, group by group."""

import logging

import typer

from clients.cli import check, dead, egress, operators, publish, token, trace

app = typer.Typer(
    name="shilian",
    help="食链: trace a batch, publish and check data, look after dead letters.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(trace.trace)
app.command()(trace.holders)
app.command()(publish.publish)
app.command()(check.check)
app.command()(egress.egress)
app.command()(token.token)
app.add_typer(dead.app, name="dead")
app.add_typer(operators.app, name="operators")


def main() -> None:
    """Exit status: 0 done, 1 failed, 2 bad usage or input."""
    # pika tells every failed attempt at length; our own message says it.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    app()


if __name__ == "__main__":
    main()
