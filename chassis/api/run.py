"""Runs an api process until it is told to stop."""

import asyncio
import logging
import signal
from collections.abc import Iterable, Sequence

from chassis.api.server import Service, running
from chassis.collections import Collection
from chassis.logs import setup_logs
from chassis.settings import Settings

log = logging.getLogger(__name__)


def run(settings: Settings, services: Sequence[Service], collections: Iterable[Collection]) -> None:
    """Serves until SIGTERM or SIGINT, then drains."""
    setup_logs(settings.instance, settings.log_level)
    asyncio.run(_until_stopped(settings, services, collections))


async def _until_stopped(settings: Settings, services: Sequence[Service], collections: Iterable[Collection]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings, services, collections) as api:
        log.info("serving", extra={"grpc_port": api.grpc_port, "http_port": api.http_port})
        await stop.wait()
        log.info("draining")
    log.info("stopped")
