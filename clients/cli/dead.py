"""`shilian dead`: messages that could not be handled, why, and another try."""

import base64
from collections.abc import Iterator
from typing import Annotated, Any

import pika
import typer
from pika.adapters.blocking_connection import BlockingChannel

from clients.cli import bus, where
from clients.cli.failing import BAD_INPUT, fail, reported
from clients.cli.letters import Letter, letter, plain, readable, revived
from clients.cli.printing import Format, FormatOption, print_json, print_table
from contracts.topology import CONSUMED

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="死信：列表、查看、重放。Dead letters.")

QUEUES = {queue.name: queue for queue in CONSUMED}
HEADS = ("队列 queue", "消息 message", "类型 type", "原因 reason", "条数 records", "错误 errors")

Queue = Annotated[str | None, typer.Option("--queue", help=f"One queue only: {', '.join(QUEUES)}")]
Limit = Annotated[int, typer.Option(min=1, help="每个队列最多查看几条。Messages per queue to look at, at most.")]


@app.command("list")
def list_letters(
    queue: Queue = None, limit: Limit = 1000, format: FormatOption = Format.TABLE, amqp_url: where.AmqpUrl = None
) -> None:
    """列出死信，最早的在前，不取走。List dead letters, oldest first; they stay where they are."""
    with reported(), bus.channel(where.amqp_url(amqp_url, "shilian")) as channel:
        letters = [found for found, _ in _letters(channel, queue, limit)]
    if format is Format.JSON:
        print_json([_json(found) for found in letters])
    else:
        records = sum(found.records for found in letters)
        print_table(f"死信 {len(letters)} 条消息，{records} 条记录", HEADS, map(_row, letters))


@app.command()
def show(
    message: Annotated[str, typer.Argument(help="消息编号。Id of the message.")],
    queue: Queue = None,
    limit: Limit = 1000,
    format: FormatOption = Format.TABLE,
    amqp_url: where.AmqpUrl = None,
) -> None:
    """查看一条死信：原因、消息头、正文。Show a dead letter whole: why it is dead, its headers, its body."""
    with reported(), bus.channel(where.amqp_url(amqp_url, "shilian")) as channel:
        found = [pair for pair in _letters(channel, queue, limit) if pair[0].id == message]
    if not found:
        fail(f"死信中没有 message {message}: not among the dead letters")
    shown = [_json(known) | _whole(taken) for known, taken in found]
    if format is Format.JSON:
        print_json(shown)
        return
    for one in shown:
        print_table(f"死信 {message}", ("项 field", "值 value"), [(name, readable(one[name])) for name in one])


@app.command()
def replay(
    messages: Annotated[list[str] | None, typer.Argument(help="消息编号。Ids of the messages.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="全部。All of them.")] = False,
    queue: Queue = None,
    limit: Limit = 1000,
    format: FormatOption = Format.TABLE,
    amqp_url: where.AmqpUrl = None,
) -> None:
    """把死信重放到原队列；其中已收的记录按重复处理。Send dead letters back to the queue they died in."""
    wanted = set(messages or ())
    if bool(wanted) is everything:
        fail("请写消息编号，或 --all：name messages, or say --all", BAD_INPUT)
    with reported(), bus.channel(where.amqp_url(amqp_url, "shilian")) as channel:
        channel.confirm_delivery()
        letters = list(_letters(channel, queue, limit))
        chosen = [(known, taken) for known, taken in letters if everything or known.id in wanted]
        for known, taken in chosen:
            _send_back(channel, known, taken)
    _tell(format, [known.id for known, _ in chosen], wanted)


def _letters(channel: BlockingChannel, queue: str | None, limit: int) -> Iterator[tuple[Letter, bus.Taken]]:
    if queue and queue not in QUEUES:
        fail(f"没有此队列 --queue {queue}: is none of {', '.join(QUEUES)}", BAD_INPUT)
    for name in [queue] if queue else QUEUES:
        for taken in bus.take(channel, QUEUES[name].dead, limit):
            yield letter(name, taken.properties.message_id, taken.headers), taken


def _send_back(channel: BlockingChannel, known: Letter, taken: bus.Taken) -> None:
    """Straight to its queue, and only then out of the dead ones."""
    properties = pika.BasicProperties(
        message_id=known.id,
        headers=revived(taken.headers),
        content_type=taken.properties.content_type,
        delivery_mode=pika.DeliveryMode.Persistent.value,
    )
    channel.basic_publish("", known.queue, taken.body, properties, mandatory=True)
    channel.basic_ack(taken.tag)


def _tell(format: Format, replayed: list[str], wanted: set[str]) -> None:
    if format is Format.JSON:
        print_json({"replayed": replayed})
    else:
        typer.echo(f"已重放 replayed {len(replayed)}")
    missing = wanted.difference(replayed)
    if missing:
        fail(f"死信中没有 not among the dead letters: {', '.join(sorted(missing))}")


def _row(known: Letter) -> tuple[str, ...]:
    first = known.errors[0] if known.errors else {}
    place = " = ".join(filter(None, (first.get("field"), first.get("value"))))
    place += ": " if place else ""
    more = f" (共 {len(known.errors)} 处)" if len(known.errors) > 1 else ""
    told = f"{place}{str(first['message']).splitlines()[0]}{more}" if first else ""
    return known.queue, known.id, known.type, known.reason, str(known.records), told


def _json(known: Letter) -> dict[str, Any]:
    return known._asdict()


def _whole(taken: bus.Taken) -> dict[str, Any]:
    try:
        body = {"body": taken.body.decode()}
    except UnicodeDecodeError:
        body = {"body_base64": base64.b64encode(taken.body).decode()}
    return {"headers": plain(taken.headers), **body}
