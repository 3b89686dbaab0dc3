"""Rules that need to read: a generator yields what it asks, is sent the answer, and returns what it came to.

So one rule serves both runtimes: a worker answers it from pymongo, an api from motor, and neither restates it.
"""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

Asked = TypeVar("Asked")
Result = TypeVar("Result")


def answered(steps: Generator[Asked, Any, Result], answer: Callable[[Asked], Any]) -> Result:
    """What the generator returns, once everything it asked was answered."""
    reply: Any = None
    while True:
        try:
            asked = steps.send(reply)
        except StopIteration as done:
            result: Result = done.value
            return result
        reply = answer(asked)


async def answered_later(steps: Generator[Asked, Any, Result], answer: Callable[[Asked], Awaitable[Any]]) -> Result:
    """The same where an answer is awaited."""
    reply: Any = None
    while True:
        try:
            asked = steps.send(reply)
        except StopIteration as done:
            result: Result = done.value
            return result
        reply = await answer(asked)
