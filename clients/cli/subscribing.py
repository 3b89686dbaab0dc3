"""`shilian notify subscribe|unsubscribe|stop|quota`: who wants to be told what, and what providers let through."""

from typing import Annotated

import typer
from shilian.notify.v1 import notify_pb2 as pb

from clients.cli.answers import Json
from clients.cli.asking import asks, one_of, value
from clients.cli.notices import SHOW_SUBSCRIPTION
from clients.cli.printing import print_table

app = typer.Typer()

QUOTA_HEADS = ("剩余 left", "限额 limit", "已退订 stopped")

Where = Annotated[str, typer.Argument(help="手机号、openid 等。A phone number, an openid.")]
Channel = Annotated[str, typer.Argument(**one_of(pb.Channel), help="渠道。The channel.")]


@asks(app, "subscribe", SHOW_SUBSCRIPTION)
def subscribe(
    name: Annotated[str, typer.Argument(help="订阅名称。Its name.")],
    events: Annotated[list[str], typer.Option("--event", help="事件，可多个，如 finding_opened。Repeat for each.")],
    channels: Annotated[
        list[str], typer.Option("--channel", **one_of(pb.Channel), help="渠道，按先后。In the order they are tried.")
    ],
    audience: Annotated[str, typer.Option(**one_of(pb.Audience), help="收件对象。Who gets it.")] = "address",
    divisions: Annotated[list[str] | None, typer.Option("--division", help="限区划。Only there.")] = None,
    operators: Annotated[list[str] | None, typer.Option("--operator", help="限主体。Only these.")] = None,
    categories: Annotated[list[str] | None, typer.Option("--category", help="限品类。Only these.")] = None,
    severity: Annotated[str, typer.Option(**one_of(pb.Severity), help="最低级别。The least severe.")] = "",
    to: Annotated[str, typer.Option(help="收件人姓名。Name of whom it goes to.")] = "",
    phone: Annotated[str, typer.Option(help="手机。Mobile number.")] = "",
    wechat: Annotated[str, typer.Option(help="公众号 openid。openid of the official account.")] = "",
    wecom_key: Annotated[str, typer.Option(help="企业微信群机器人 key。Key of a WeCom robot.")] = "",
    webhook_url: Annotated[str, typer.Option(help="回调地址。Where webhooks go.")] = "",
    webhook_secret: Annotated[
        str, typer.Option(envvar="SHILIAN_WEBHOOK_SECRET", help="签名密钥,base64,只写。Write only.")
    ] = "",
    quiet: Annotated[str, typer.Option(help="静默时段，如 22:00-07:00。Quiet hours.")] = "",
    digest: Annotated[bool, typer.Option("--digest", help="每日 08:00 汇总。Once a day instead of at once.")] = False,
) -> pb.CreateSubscriptionRequest:
    """新增订阅。Add a subscription within one's own scope."""
    address = pb.Address(
        name=to,
        phone=phone,
        wechat=wechat,
        wecom_key=wecom_key,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
    )
    wanted = pb.Subscription(
        name=name,
        events=events,
        divisions=divisions,
        operators=operators,
        categories=categories,
        severity=value(pb.Severity, severity),
        audience=value(pb.Audience, audience),
        address=address,
        channels=[value(pb.Channel, channel) for channel in channels],
        quiet=_hours(quiet),
        digest=digest,
    )
    return pb.CreateSubscriptionRequest(subscription=wanted)


def _hours(text: str) -> pb.QuietHours | None:
    start, _, until = text.partition("-")
    return pb.QuietHours(start=start, until=until) if text else None


def _show_ended(answer: Json) -> None:
    typer.echo("已退订 ended")


@asks(app, "unsubscribe", _show_ended)
def unsubscribe(
    subscription: Annotated[str, typer.Argument(help="订阅编号。Subscription id.")],
) -> pb.DeleteSubscriptionRequest:
    """取消订阅；默认订阅只有省级可以取消。End a subscription; a default one only for a province."""
    return pb.DeleteSubscriptionRequest(subscription_id=subscription)


def _show_stop(answer: Json) -> None:
    typer.echo("已登记 recorded")


@asks(app, "stop", _show_stop)
def stop(
    channel: Channel,
    address: Where,
    resume: Annotated[bool, typer.Option("--resume", help="恢复接收。Take it back.")] = False,
) -> pb.RecordStopRequest:
    """登记收件人退订某渠道；召回和责令仍会送达。Record a STOP; recalls and statutory orders still come."""
    return pb.RecordStopRequest(channel=value(pb.Channel, channel), address=address, resume=resume)


def _show_quota(answer: Json) -> None:
    numbers = ("不限" if answer[name] < 0 else str(answer[name]) for name in ("left", "limit"))
    print_table("配额 quota", QUOTA_HEADS, [(*numbers, "是" if answer["stopped"] else "")])


@asks(app, "quota", _show_quota)
def quota(
    channel: Channel,
    address: Where,
    event: Annotated[str, typer.Option(help="事件：限额按模板计。Limits are by template.")] = "notice",
) -> pb.GetQuotaRequest:
    """查询对一个地址还能发多少条。What a provider still lets through to an address."""
    return pb.GetQuotaRequest(channel=value(pb.Channel, channel), address=address, event=event)
