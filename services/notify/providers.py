"""The composition of a worker's channels."""

from functools import cache

from chassis.worker.mongo import Store
from services.notify.channels.http import Http
from services.notify.channels.sms import Sms
from services.notify.channels.webhook import Webhook
from services.notify.channels.wechat import Tokens, WeChat
from services.notify.channels.wecom import WeCom
from services.notify.deliveries.sending import IN_FLIGHT, Provider, Sender
from services.notify.domain import Channel
from services.notify.settings import NotifySettings
from services.notify.store import TOKENS


@cache
def sender_of(store: Store) -> Sender:
    """One for a process: it keeps the connections to the providers."""
    settings = NotifySettings()
    http = Http(settings.http_timeout_s, settings.send_at_once * IN_FLIGHT)
    sms = Sms(settings, http)
    providers: dict[str, Provider] = {
        Channel.SMS: sms,
        Channel.WECHAT: WeChat(settings, http, Tokens(settings, http, store.db[TOKENS]).get),
        Channel.WECOM: WeCom(settings, http),
        Channel.WEBHOOK: Webhook(http),
    }
    return Sender(store, settings, providers, {Channel.SMS: sms.ask})
