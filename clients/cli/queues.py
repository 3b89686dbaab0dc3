"""`shilian queues`: what waits where, and who works on it."""

from collections.abc import Iterator
from typing import Final

from pika.adapters.blocking_connection import BlockingChannel

from clients.cli import bus, where
from clients.cli.answers import Json
from clients.cli.failing import reported
from clients.cli.printing import Format, FormatOption, print_json, print_table
from contracts.topology import CONSUMED, DOCKED, SYSTEMS, egress_queue

HEADS = ("队列 queue", "待处理 waiting", "消费者 consumers", "死信 dead")
ANSWERS: Final = tuple(egress_queue(source) for source in (*SYSTEMS, *DOCKED))


def queues(format: FormatOption = Format.TABLE, amqp_url: where.AmqpUrl = None) -> None:
    """列出各队列待处理的消息、消费者与死信；处理中的不计。What waits in each queue, and who works on it."""
    with reported(), bus.channel(where.amqp_url(amqp_url, "shilian")) as channel:
        found = list(_counted(channel))
    if format is Format.JSON:
        print_json(found)
    else:
        print_table("队列 queues", HEADS, map(_row, found))


def _counted(channel: BlockingChannel) -> Iterator[Json]:
    for queue in CONSUMED:
        waiting, consumers = _depth(channel, queue.name)
        yield {"queue": queue.name, "waiting": waiting, "consumers": consumers, "dead": _depth(channel, queue.dead)[0]}
    for queue in ANSWERS:
        waiting, consumers = _depth(channel, queue.name)
        yield {"queue": queue.name, "waiting": waiting, "consumers": consumers, "dead": 0}


def _depth(channel: BlockingChannel, queue: str) -> tuple[int, int]:
    """Messages that wait, and consumers."""
    told = channel.queue_declare(queue, passive=True).method
    return told.message_count, told.consumer_count


def _row(one: Json) -> tuple[str, ...]:
    return one["queue"], str(one["waiting"]), str(one["consumers"]), str(one["dead"] or "")
