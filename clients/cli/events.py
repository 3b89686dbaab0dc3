"""`shilian event`: the records that everything stands on."""

from typing import Annotated

import typer
from shilian.trace.v1 import trace_pb2 as pb

from clients.cli.answers import Json, in_turn, listing
from clients.cli.asking import Division, asks, words
from clients.cli.event_tables import show_event, show_events
from clients.cli.times import Since, Until, moment
from clients.cli.words import STEPS, rule_title

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="追溯记录。Recorded events.")

COUNT_HEADS = ("规则 rule", "说明 meaning", "事件数 events")


@asks(app, "list", show_events)
def list_events(
    batch: Annotated[str, typer.Option(help="批次。Of this batch.")] = "",
    site: Annotated[str, typer.Option(help="场所编号。At this site.")] = "",
    step: Annotated[str, typer.Option(**words([*STEPS]), help="环节。Step.")] = "",
    flag: Annotated[str, typer.Option(help="带此标记。With a flag of this rule.")] = "",
    source: Annotated[str, typer.Option(help="来源系统。Of this source.")] = "",
    division: Division = "",
    since: Since = None,
    until: Until = None,
) -> pb.QueryEventsRequest:
    """查询追溯记录。List events of one's own scope, newest first."""
    return pb.QueryEventsRequest(
        batch=batch,
        site_id=site,
        step=step,
        flag=flag,
        source=source,
        division=division,
        from_time=moment(since),
        until_time=moment(until),
    )


@asks(app, "show", show_event)
def show(event: Annotated[str, typer.Argument(help="事件编号。Event id.")]) -> pb.GetEventRequest:
    """查看一条追溯记录：货物、票证、标记、更正。Show an event whole."""
    return pb.GetEventRequest(event_id=event)


def _count_row(count: Json) -> tuple[str, ...]:
    return count["rule"], rule_title(count["rule"]), str(count["events"])


def _show_total(answer: Json) -> None:
    typer.echo(f"共 {answer['events']} 个事件 events")


@asks(app, "flags", in_turn(listing("counts", "标记 flags", COUNT_HEADS, _count_row), _show_total))
def flags(division: Division = "", since: Since = None, until: Until = None) -> pb.CountFlagsRequest:
    """统计各规则标记的记录数。Count events by flag."""
    return pb.CountFlagsRequest(division=division, from_time=moment(since), until_time=moment(until))
