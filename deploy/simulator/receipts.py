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

RETRY_S: Final = 1.0
PAUSE_S: Final = 0.05
AT_ONCE: Final = 200
"""Receipts in one call."""

EVENT: Final = """<xml><ToUserName><![CDATA[gh_simulated]]></ToUserName>
<FromUserName><![CDATA[{to}]]></FromUserName><CreateTime>{now}</CreateTime><MsgType><![CDATA[event]]></MsgType>
<Event><![CDATA[TEMPLATESENDJOBFINISH]]></Event><MsgID>{id}</MsgID><Status><![CDATA[{status}]]></Status></xml>"""


class Receipts:
    """Calls notify's `web`, later and again until it listens; SMS receipts go in arrays, as the provider's do."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings
        self._waiting: list[tuple[float, Sent, bool]] = []
        self._task: asyncio.Task[None] | None = None

    def later(self, message: Sent, orders: Behaviour) -> None:
        """Has a receipt sent after a while, if there is to be one."""
        if orders.receipt is None or message.provider not in ("sms", "wechat") or not self._settings.callback_url:
            return
        self._waiting.append((time.monotonic() + orders.receipt_after_s, message, orders.receipt))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        async with httpx.AsyncClient(base_url=self._settings.callback_url, trust_env=False) as client:
            while self._waiting:
                await asyncio.sleep(PAUSE_S)
                now = time.monotonic()
                due = [each for each in self._waiting if each[0] <= now][:AT_ONCE]
                taken = {id(each) for each in due}
                self._waiting = [each for each in self._waiting if id(each) not in taken]
                self._waiting += await self._tell(client, due)

    async def _tell(self, client: httpx.AsyncClient, due: list[tuple[float, Sent, bool]]) -> list[Any]:
        """Calls back; returns what is to be told again."""
        sms = [each for each in due if each[1].provider == "sms"]
        batches = [sms] if sms else []
        again = []
        for batch in batches + [[each] for each in due if each[1].provider == "wechat"]:
            if await self._post(client, batch):
                for _, message, delivered in batch:
                    message.receipt = "送达" if delivered else "失败"
            else:
                again += [(time.monotonic() + RETRY_S, message, delivered) for _, message, delivered in batch]
        return again

    async def _post(self, client: httpx.AsyncClient, batch: list[tuple[float, Sent, bool]]) -> bool:
        try:
            if batch[0][1].provider == "sms":
                path = f"/callbacks/sms/{self._settings.sms_callback_secret}/reports"
                answer = await client.post(path, json=[_sms(message, delivered) for _, message, delivered in batch])
            else:
                _, message, delivered = batch[0]
                told = _wechat(message, delivered)
                answer = await client.post("/callbacks/wechat", params=self._signed(), content=told)
        except httpx.TransportError:
            return False
        return answer.is_success

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
