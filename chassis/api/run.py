"""Runs an api process until it is told to stop."""

import asyncio
import logging
import signal
import sys
from collections.abc import Iterable, Sequence

from pymongo.errors import PyMongoError

from chassis import memory
from chassis.api.auth import UndeclaredAccess
from chassis.api.server import Misconfigured, Service, running
from chassis.collections import Collection
from chassis.logs import setup_logs
from chassis.settings import Settings

log = logging.getLogger(__name__)


def run(settings: Settings, services: Sequence[Service], collections: Iterable[Collection]) -> None:
    """Serves until SIGTERM or SIGINT, then drains; exits with a sentence when it cannot start."""
    setup_logs(settings.instance, settings.log_level)
    try:
        asyncio.run(_until_stopped(settings, services, collections))
    except (Misconfigured, UndeclaredAccess, PyMongoError) as error:
        sys.exit(f"{settings.instance}: {error}")


async def _until_stopped(settings: Settings, services: Sequence[Service], collections: Iterable[Collection]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings, services, collections) as api:
        memory.economise(memory.API)
        log.info("serving", extra={"grpc_port": api.grpc_port, "http_port": api.http_port})
        await stop.wait()
        log.info("draining")
    log.info("stopped")
