"""Runs one nameko service as a process: patched first, health over HTTP, drained on SIGTERM."""

# ruff: noqa: E402 - the standard library must be green before anything else imports it.
import eventlet

eventlet.monkey_patch()

import logging
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any

import eventlet.wsgi
from amqp.exceptions import AMQPError
from nameko.containers import ServiceContainer

from chassis import health, memory, topology
from chassis.logs import setup_logs
from chassis.settings import Settings
from chassis.worker.publisher import RECONNECT_S
from chassis.worker.timeouts import cut_circles

log = logging.getLogger(__name__)

LOOK_S = 0.1


def run(service: type, settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT, then drains; exits 1 when the container died of an error."""
    setup_logs(settings.instance, settings.log_level)
    # nameko logs every handler error with its traceback; the batch runner says it once, with the message's id.
    logging.getLogger("nameko").setLevel(logging.CRITICAL)
    cut_circles()
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: stopping.append(received))
    container = ServiceContainer(service, {"settings": settings})
    _serve_health(container, settings)
    _declare(settings, stopping)
    container.start()
    memory.economise(memory.WORKER)
    eventlet.spawn(_tidy, settings.search_s)
    log.info("started", extra={"service": container.service_name})
    died = eventlet.spawn(container.wait)
    while not stopping and not died.dead:
        eventlet.sleep(LOOK_S)
    if not stopping:
        sys.exit(f"{container.service_name} died: {_reason(died)}")
    container.stop()
    log.info("stopped", extra={"service": container.service_name})


def _tidy(every_s: float) -> None:
    """Bounds what circles nobody knows of may hold."""
    while True:
        eventlet.sleep(every_s)
        memory.search()


def _declare(settings: Settings, stopping: list[int]) -> None:
    """Declares the topology, however long the broker takes to come up."""
    attempt = 0
    while not stopping:
        try:
            topology.declare(settings.amqp_url)
            return
        except (AMQPError, OSError) as error:
            log.warning("broker not there yet", extra={"error": repr(error)})
            eventlet.sleep(RECONNECT_S[min(attempt, len(RECONNECT_S) - 1)])
            attempt += 1


def _serve_health(container: ServiceContainer, settings: Settings) -> None:
    listener = eventlet.listen((settings.http_host, settings.http_port))
    eventlet.spawn(eventlet.wsgi.server, listener, _wsgi(container), log_output=False)


def _wsgi(container: ServiceContainer) -> Callable[..., Iterable[bytes]]:
    def ready() -> list[str]:
        if not container.started:
            return ["starting"]
        return _ask(container.extensions, "problems")

    def live() -> list[str]:
        return _ask(container.entrypoints, "stalled") if container.started else []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        told = health.answer(environ["PATH_INFO"], ready, live)
        start_response(
            f"{told.status} {'OK' if told.status == 200 else 'NOT OK'}", [("Content-Type", told.content_type)]
        )
        return [told.body]

    return app


def _ask(extensions: Iterable[Any], question: str) -> list[str]:
    return [said for part in extensions if hasattr(part, question) for said in getattr(part, question)()]


def _reason(died: Any) -> str:
    try:
        died.wait()
    except Exception as error:
        return repr(error)
    return "stopped by itself"
