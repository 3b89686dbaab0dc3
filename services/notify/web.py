"""The HTTP side of notify: what providers call back, verified and handed to notify's own api. No state of its own."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc
import uvicorn
from grpc.aio import AioRpcError
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from shilian.notify.v1.notify_pb2_grpc import NotifyServiceStub
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from chassis.health import answer
from chassis.logs import setup_logs
from services.notify import callbacks
from services.notify.settings import NotifySettings
from services.notify.signing import same, wechat_signature

LARGEST: Final = 256 << 10
"""Bytes of a callback that are read."""
CALL_S: Final = 5.0
"""WeChat calls again after five seconds without an answer."""
READY_S: Final = 2.0
API: Final = "shilian.notify.v1.NotifyService"


class Callbacks:
    """What providers tell, as calls of the api: receipts, grants and STOPs."""

    def __init__(self, settings: NotifySettings, api: Any, health: Any) -> None:
        self._settings = settings
        self._api = api
        self._health = health
        self._metadata = (("authorization", f"Bearer {settings.api_token.get_secret_value()}"),)

    async def sms_reports(self, request: Request) -> Response:
        """Alibaba's SmsReport: a JSON array of receipts. It signs nothing, so the secret stands in the URL."""
        return await self._sms(request, callbacks.reports)

    async def sms_replies(self, request: Request) -> Response:
        """Alibaba's SmsUp: a JSON array of what people answered."""
        return await self._sms(request, callbacks.replies)

    async def wechat_echo(self, request: Request) -> Response:
        """WeChat's check of the URL: the echo, if the signature is right."""
        if not self._is_wechat(request.query_params):
            return PlainTextResponse("", 403)
        return PlainTextResponse(request.query_params.get("echostr", ""))

    async def wechat_event(self, request: Request) -> Response:
        """WeChat's events: TEMPLATESENDJOBFINISH is a receipt, an accepted subscription a grant."""
        if not self._is_wechat(request.query_params):
            return PlainTextResponse("", 403)
        try:
            calls = callbacks.events(await _body(request))
        except callbacks.Unreadable:
            return PlainTextResponse("", 400)
        return PlainTextResponse("success") if await self._told(calls) else PlainTextResponse("", 503)

    async def health(self, request: Request) -> Response:
        """`/metrics`, `/live` and `/ready`: a callback is taken when the api takes it."""
        problems = await self._problems() if request.url.path == "/ready" else []
        told = answer(request.url.path, lambda: problems)
        return Response(told.body, told.status, media_type=told.content_type)

    async def _problems(self) -> list[str]:
        where = f"notify's api at {self._settings.grpc_notify}"
        try:
            found = await self._health.Check(HealthCheckRequest(service=API), timeout=READY_S)
        except AioRpcError as error:
            return [f"{where}: {error.code().name}"]
        return [] if found.status == HealthCheckResponse.SERVING else [f"{where} is not serving"]

    async def _sms(self, request: Request, read: Callable[[bytes], list[callbacks.Call]]) -> Response:
        secret = self._settings.sms_callback_secret.get_secret_value()
        if not secret or not same(request.path_params["secret"], secret):
            return JSONResponse({"code": 403, "msg": "拒绝"}, 403)
        try:
            calls = read(await _body(request))
        except callbacks.Unreadable:
            return JSONResponse({"code": 400, "msg": "无法读取"}, 400)
        if not await self._told(calls):
            return JSONResponse({"code": 503, "msg": "稍后重试"}, 503)
        return JSONResponse({"code": 0, "msg": "接收成功"})

    def _is_wechat(self, query: Mapping[str, str]) -> bool:
        token = self._settings.wechat_callback_token.get_secret_value()
        signed = wechat_signature((token, query.get("timestamp", ""), query.get("nonce", "")))
        return bool(token) and same(signed, query.get("signature", ""))

    async def _told(self, calls: list[callbacks.Call]) -> bool:
        """Whether the api has all of it; if not, the provider calls again, and what it repeats changes nothing."""
        try:
            for rpc, request in calls:
                await getattr(self._api, rpc)(request, metadata=self._metadata, timeout=CALL_S)
        except AioRpcError:
            return False
        return True


async def _body(request: Request) -> bytes:
    read = b""
    async for chunk in request.stream():
        read += chunk
        if len(read) > LARGEST:
            raise callbacks.Unreadable
    return read


def app(settings: NotifySettings) -> Starlette:
    """The routes; the channel to the api opens and closes with the app."""
    channel = grpc.aio.insecure_channel(settings.grpc_notify)
    web = Callbacks(settings, NotifyServiceStub(channel), HealthStub(channel))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> Any:
        yield
        await channel.close()

    return Starlette(
        routes=[
            Route("/callbacks/sms/{secret}/reports", web.sms_reports, methods=["POST"]),
            Route("/callbacks/sms/{secret}/replies", web.sms_replies, methods=["POST"]),
            Route("/callbacks/wechat", web.wechat_echo, methods=["GET"]),
            Route("/callbacks/wechat", web.wechat_event, methods=["POST"]),
            *(Route(path, web.health) for path in ("/metrics", "/live", "/ready")),
        ],
        lifespan=lifespan,
    )


def run(settings: NotifySettings) -> None:
    """Serves until SIGTERM, then drains."""
    setup_logs(settings.instance, settings.log_level)
    # The access log would hold the secret that stands in the URL.
    asyncio.run(_serve(settings))


async def _serve(settings: NotifySettings) -> None:
    host, port = settings.http_host, settings.http_port
    await uvicorn.Server(uvicorn.Config(app(settings), host, port, access_log=False, log_config=None)).serve()
