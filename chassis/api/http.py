"""`/metrics`, `/live` and `/ready` of an api: a few lines of HTTP/1.1 on its own event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from chassis.health import Answer, answer

REQUEST_S: Final = 5.0

AsyncProblems = Callable[[], Awaitable[list[str]]]


async def serve_http(host: str, port: int, ready: AsyncProblems) -> asyncio.Server:
    """Listens at once; `ready` says what keeps the process from being ready."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_S):
                writer.write(_response(await _answer(reader, ready)))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(connected, host, port)


async def _answer(reader: asyncio.StreamReader, ready: AsyncProblems) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    method, _, rest = head.decode("latin-1").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    if method != "GET":
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"GET only\n")
    problems = await ready() if path == "/ready" else []
    return answer(path, lambda: problems)


def _response(answer: Answer) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + answer.body
