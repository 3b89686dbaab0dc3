"""A service method called by nameko, for an entrypoint that has to know how it went."""

from functools import partial
from typing import Any

from eventlet.event import Event
from nameko.extensions import Entrypoint


def called(entrypoint: Entrypoint, argument: Any) -> Exception | None:
    """One nameko worker: the entrypoint's method with its dependencies. What the method raised, if anything."""
    outcome = Event()
    entrypoint.container.spawn_worker(entrypoint, (argument,), {}, handle_result=partial(_settle, outcome))
    raised: Exception | None = outcome.wait()
    # The error refers to nameko's frame, which refers to the outcome: a circle that would keep all that is in hand.
    outcome.reset()
    return raised


def _settle(outcome: Event, _context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
    outcome.send(exc_info and exc_info[1])
    return result, exc_info
