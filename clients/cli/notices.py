"""`shilian notify`: who is told what, and what became of each message."""

from typing import Annotated

import typer
from shilian.notify.v1 import notify_pb2 as pb

from clients.cli.answers import Json, listing
from clients.cli.asking import Division, asks, one_of, value, words
from clients.cli.printing import local_time
from clients.cli.words import AUDIENCES, CHANNELS, DELIVERY_STATES, zh

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="消息：订阅、送达、站内信、发送、配额。Messages to people."
)

SUBSCRIPTION_HEADS = ("订阅 subscription", "名称 name", "事件 events", "区划 divisions", "对象 audience",
                      "渠道 channels", "静默 quiet", "汇总 digest")  # fmt: skip
HEADS = ("消息 delivery", "收件人 recipient", "渠道 channel", "状态 state", "标题 title", "起因 cause", "次数 attempts",
         "错误 error", "时间 time")  # fmt: skip
INBOX_HEADS = ("消息 delivery", "时间 time", "状态 state", "标题 title", "内容 text")
KINDS = ["recall", "order", "notice"]


def _subscription_row(one: Json) -> tuple[str, ...]:
    quiet = one.get("quiet", {})
    return (
        one["subscription_id"],
        one["name"],
        "\n".join(one["events"]),
        "\n".join(one["divisions"]),
        zh(AUDIENCES, one["audience"]),
        " → ".join(zh(CHANNELS, channel) for channel in one["channels"]),
        f"{quiet['start']}–{quiet['until']}" if quiet else "",
        "是" if one["digest"] else "",
    )


def _row(one: Json) -> tuple[str, ...]:
    return (
        one["delivery_id"],
        one["name"] or one["recipient"],
        zh(CHANNELS, one["channel"]),
        zh(DELIVERY_STATES, one["state"]),
        one["title"],
        one["cause"],
        str(one["attempts"]),
        one["error"],
        local_time(one.get("update_time", "")),
    )


def _inbox_row(one: Json) -> tuple[str, ...]:
    state = zh(DELIVERY_STATES, one["state"])
    return (one["delivery_id"], local_time(one.get("create_time", "")), state, one["title"], one["text"])


def _show_sent(answer: Json) -> None:
    typer.echo(f"已受理，进展：shilian notify deliveries --cause {answer['cause']}")


SHOW_SUBSCRIPTION = listing("subscription", "订阅 subscription", SUBSCRIPTION_HEADS, _subscription_row)


@asks(app, "subscriptions", listing("subscriptions", "订阅 subscriptions", SUBSCRIPTION_HEADS, _subscription_row))
def subscriptions(
    event: Annotated[str, typer.Option(help="此类事件。Of this event.")] = "",
) -> pb.ListSubscriptionsRequest:
    """列出订阅。List subscriptions: who gets what, on which channels in order."""
    return pb.ListSubscriptionsRequest(event=event)


@asks(app, "deliveries", listing("deliveries", "消息 deliveries", HEADS, _row))
def deliveries(
    cause: Annotated[str, typer.Option(help="起因的开头。The start of a cause, such as `finding:…` or `task:…`.")] = "",
    event: Annotated[str, typer.Option(help="此类事件。Of this event.")] = "",
    state: Annotated[str, typer.Option(**one_of(pb.DeliveryState))] = "",
    channel: Annotated[str, typer.Option(**one_of(pb.Channel))] = "",
    recipient: Annotated[str, typer.Option(help="此收件人。To this recipient.")] = "",
    division: Division = "",
) -> pb.ListDeliveriesRequest:
    """列出消息及其送达情况。List messages and what became of each."""
    return pb.ListDeliveriesRequest(
        cause=cause,
        event=event,
        state=value(pb.DeliveryState, state),
        channel=value(pb.Channel, channel),
        recipient=recipient,
        division=division,
    )


@asks(app, "inbox", listing("messages", "站内信 inbox", INBOX_HEADS, _inbox_row))
def inbox(
    unread: Annotated[bool, typer.Option("--unread", help="只看未读。Only those not read.")] = False,
) -> pb.GetInboxRequest:
    """列出自己的站内信，最新的在前。List one's own messages, newest first."""
    return pb.GetInboxRequest(unread=unread)


@asks(app, "read", listing("message", "站内信 message", INBOX_HEADS, _inbox_row))
def read(
    delivery: Annotated[str, typer.Argument(help="站内信的消息编号。Delivery id of a message of the inbox.")],
) -> pb.MarkReadRequest:
    """标记一条站内信为已读。Say that a message was read."""
    return pb.MarkReadRequest(delivery_id=delivery)


@asks(app, "send", _show_sent)
def send(
    kind: Annotated[str, typer.Argument(**words(KINDS), help="order 为法定责令。An order is a statutory one.")],
    title: Annotated[str, typer.Option(help="标题。What it is about.")],
    text: Annotated[str, typer.Option(help="内容。What the sites are told.")],
    sites: Annotated[
        list[str] | None,
        typer.Option("--site", help="发给这些场所；缺省为辖区全部。To these; all of the division without it."),
    ] = None,
    division: Division = "",
    link: Annotated[
        str, typer.Option(help="环节，空为全部。production, circulation, catering or special_food; all when empty.")
    ] = "",
) -> pb.SendNoticeRequest:
    """向场所专人发送召回、责令或通知。Send a recall, an order or a notice to the named persons of sites."""
    return pb.SendNoticeRequest(kind=kind, title=title, text=text, site_ids=sites, division=division, link=link)
