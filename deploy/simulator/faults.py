"""How the simulated providers misbehave, by orders that arrive over HTTP."""

import asyncio
import time
from collections import deque
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse, Response


class Fault(StrEnum):
    """What a provider does instead of its work."""

    NONE = "none"
    ERROR = "error"
    """HTTP 500."""
    GATEWAY = "gateway"
    """Does its work, and then a gateway answers 504 in its place."""
    HANG = "hang"
    """Does its work and never says so."""
    GARBAGE = "garbage"
    """Does its work and answers with what nobody can read."""
    REFUSE = "refuse"
    """Answers with the provider's own code for a recipient that cannot be reached."""


class Behaviour(BaseModel):
    """Orders for one provider. `times` faults and then none; `rate` is messages per second, `delay_s` before an answer.

    `receipt` is what the callback tells; None sends none.
    """

    model_config = ConfigDict(extra="forbid")

    fault: Fault = Fault.NONE
    times: int = Field(default=1_000_000, ge=0)
    code: str | None = None
    rate: float | None = Field(default=None, gt=0)
    delay_s: float = Field(default=0.0, ge=0)
    receipt: bool | None = True
    receipt_after_s: float = Field(default=0.2, ge=0)


class Conduct:
    """One provider's behaviour, as ordered last."""

    def __init__(self) -> None:
        self.orders = Behaviour()
        self._left = 0
        self._recent: deque[float] = deque()

    def order(self, orders: Behaviour) -> None:
        """Takes new orders."""
        self.orders = orders
        self._left = orders.times
        self._recent.clear()

    def fault(self) -> Fault:
        """What to do this time."""
        if self.orders.fault is Fault.NONE or self._left <= 0:
            return Fault.NONE
        self._left -= 1
        return self.orders.fault

    def throttles(self) -> bool:
        """Whether this call is one too many within the last second."""
        if self.orders.rate is None:
            return False
        now = time.monotonic()
        while self._recent and self._recent[0] < now - 1:
            self._recent.popleft()
        if len(self._recent) >= self.orders.rate:
            return True
        self._recent.append(now)
        return False

    async def delay(self) -> None:
        """Waits as ordered."""
        if self.orders.delay_s:
            await asyncio.sleep(self.orders.delay_s)


async def instead(fault: Fault) -> Response | None:
    """What is answered in place of the provider's own words; None lets it speak."""
    match fault:
        case Fault.ERROR:
            return PlainTextResponse("Internal Server Error", 500)
        case Fault.GATEWAY:
            return PlainTextResponse("<html>504 Gateway Time-out</html>", 504)
        case Fault.GARBAGE:
            return PlainTextResponse("\x00<<<{不是 JSON", 200)
        case Fault.HANG:
            await asyncio.sleep(3600)
    return None


def describe(orders: Behaviour) -> dict[str, Any]:
    """The orders that differ from good conduct."""
    return orders.model_dump(exclude_defaults=True, mode="json")
