"""Delivery receipts that the simulated providers call back with, signed as theirs are."""

import asyncio
import secrets
import time
from typing import Any, Final

import httpx

from deploy.simulator.faults import Behaviour
from deploy.simulator.sent import Sent
from deploy.simulator.settings import SimulatorSettings
from services.notify.hours import wall
from services.notify.signing import wechat_signature

TRIES: Final = 5
RETRY_S: Final = 1.0

EVENT: Final = """<xml><ToUserName><![CDATA[gh_simulated]]></ToUserName>
<FromUserName><![CDATA[{to}]]></FromUserName><CreateTime>{now}</CreateTime><MsgType><![CDATA[event]]></MsgType>
<Event><![CDATA[TEMPLATESENDJOBFINISH]]></Event><MsgID>{id}</MsgID><Status><![CDATA[{status}]]></Status></xml>"""


class Receipts:
    """Calls notify's `web`, later and again until it listens."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None

    def later(self, message: Sent, orders: Behaviour) -> None:
        """Has a receipt sent after a while, if there is to be one."""
        if orders.receipt is None or message.provider not in ("sms", "wechat") or not self._settings.callback_url:
            return
        task = asyncio.get_running_loop().create_task(self._send(message, orders.receipt, orders.receipt_after_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, message: Sent, delivered: bool, after_s: float) -> None:
        await asyncio.sleep(after_s)
        for _ in range(TRIES):
            try:
                answer = await self._post(message, delivered)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                message.receipt = "送达" if delivered else "失败"
                return
            await asyncio.sleep(RETRY_S)

    async def _post(self, message: Sent, delivered: bool) -> httpx.Response:
        self._client = self._client or httpx.AsyncClient(base_url=self._settings.callback_url, trust_env=False)
        if message.provider == "sms":
            path = f"/callbacks/sms/{self._settings.sms_callback_secret}/reports"
            return await self._client.post(path, json=[_sms(message, delivered)])
        return await self._client.post("/callbacks/wechat", params=self._signed(), content=_wechat(message, delivered))

    def _signed(self) -> dict[str, str]:
        stamp, nonce = str(int(time.time())), secrets.token_hex(8)
        token = self._settings.wechat_callback_token
        return {"timestamp": stamp, "nonce": nonce, "signature": wechat_signature((token, stamp, nonce))}


def _sms(message: Sent, delivered: bool) -> dict[str, Any]:
    at = f"{wall(message.at):%Y-%m-%d %H:%M:%S}"
    return {
        "phone_number": message.to,
        "send_time": at,
        "report_time": at,
        "success": delivered,
        "err_code": "DELIVERED" if delivered else "UNDELIV",
        "err_msg": "用户接收成功" if delivered else "用户未收到",
        "sms_size": "1",
        "biz_id": message.id,
        "out_id": message.key,
    }


def _wechat(message: Sent, delivered: bool) -> bytes:
    status = "success" if delivered else "failed:user block"
    return EVENT.format(to=message.to, now=int(time.time()), id=int(message.id, 16), status=status).encode()
