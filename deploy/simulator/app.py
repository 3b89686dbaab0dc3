"""The simulator's routes: the providers' own, a page of what was sent, and the orders."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, StrictUndefined
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from deploy.simulator.faults import Behaviour, describe
from deploy.simulator.providers import PROVIDERS, Simulator
from deploy.simulator.settings import SimulatorSettings
from services.notify.hours import shown

TITLES: Final = {"sms": "短信", "wechat": "微信", "wecom": "企业微信", "webhook": "Webhook"}
SHOWN: Final = 200
"""Messages on the page."""

_PAGE: Final = Environment(undefined=StrictUndefined, autoescape=True).from_string(
    Path(__file__).with_name("page.html").read_text(encoding="utf-8")
)


def app(settings: SimulatorSettings) -> Starlette:
    """Providers at their own paths; `/hooks/…` receives, `/` shows what was sent, `/control/…` takes orders."""
    simulator = Simulator(settings)
    office = Office(simulator)
    return Starlette(
        routes=[
            Route("/", office.page),
            Route("/control/{provider}", office.order, methods=["PUT"]),
            Route("/control/wechat/token", office.withdraw, methods=["DELETE"]),
            Route("/sent", office.sent),
            Route("/sent", office.clear, methods=["DELETE"]),
            Route("/ready", office.ready),
            Route("/cgi-bin/stable_token", simulator.wechat_token, methods=["POST"]),
            Route("/cgi-bin/message/template/send", simulator.wechat, methods=["POST"]),
            Route("/cgi-bin/webhook/send", simulator.wecom, methods=["POST"]),
            Route("/hooks/{receiver}", simulator.webhook, methods=["POST"]),
            Route("/", simulator.sms, methods=["POST"]),
        ]
    )


class Office:
    """What people and tests ask of the simulator itself."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def page(self, request: Request) -> Response:
        """What was sent, newest first, as its recipients read it."""
        outbox = self._simulator.outbox
        counts = {name: sum(message.provider == name for message in outbox.messages) for name in PROVIDERS}
        orders = {name: _plain(describe(conduct.orders)) for name, conduct in self._simulator.conduct.items()}
        newest = list(outbox.messages)[-SHOWN:][::-1]
        refused = outbox.refused.most_common()
        told: dict[str, Any] = {"titles": TITLES, "counts": counts, "orders": orders, "refused": refused}
        return HTMLResponse(_PAGE.render(messages=newest, shown=shown, **told))

    async def order(self, request: Request) -> Response:
        """Tells a provider how to behave, as a `Behaviour`; `{}` is good conduct again."""
        provider = request.path_params["provider"]
        if provider not in PROVIDERS:
            return JSONResponse({"error": f"one of {', '.join(PROVIDERS)}"}, 404)
        try:
            orders = Behaviour.model_validate_json(await request.body() or b"{}")
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, 400)
        self._simulator.order(provider, orders)
        return JSONResponse(describe(orders))

    async def withdraw(self, request: Request) -> Response:
        """Makes every access_token given out invalid."""
        self._simulator.withdraw_token()
        return JSONResponse({})

    async def sent(self, request: Request) -> Response:
        """The same for programs."""
        outbox = self._simulator.outbox
        messages = [
            {**vars(message), "at": message.at.isoformat()}
            for message in outbox.messages
            if request.query_params.get("to") in (None, message.to)
        ]
        told = {
            "messages": messages,
            "calls": dict(outbox.calls),
            "refused": dict(outbox.refused),
            "tokens": self._simulator.tokens_fetched,
        }
        return JSONResponse(told)

    async def clear(self, request: Request) -> Response:
        """Forgets what was sent."""
        self._simulator.forget()
        return JSONResponse({})

    async def ready(self, request: Request) -> Response:
        """Answers as soon as it listens."""
        return JSONResponse({"ok": True})


def _plain(orders: dict[str, Any]) -> str:
    return "，".join(f"{name} {value}" for name, value in orders.items())
