"""How a command ends badly: one message on stderr, naming field, value and rule, and exit status 1 or 2."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn, cast

import grpc
import pika.exceptions
import typer
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from shilian_publisher import SpoolInUseError

FAILED, BAD_INPUT = 1, 2

REFUSALS: Final = {
    grpc.StatusCode.INVALID_ARGUMENT: "输入有误",
    grpc.StatusCode.NOT_FOUND: "没有找到，或不在可见范围",
    grpc.StatusCode.ALREADY_EXISTS: "已经存在",
    grpc.StatusCode.FAILED_PRECONDITION: "不能办理",
    grpc.StatusCode.PERMISSION_DENIED: "无权办理",
    grpc.StatusCode.UNAUTHENTICATED: "令牌无效",
}


class Away(Exception):
    """Nobody answers at an address."""

    def __init__(self, what: str, address: str, why: str) -> None:
        super().__init__(f"{what} {address}: {why}")
        self.what, self.address, self.why = what, address, why


def fail(message: str, status: int = FAILED) -> NoReturn:
    """Say why, and end."""
    typer.echo(message, err=True)
    raise typer.Exit(status)


@contextmanager
def reported() -> Iterator[None]:
    """Turn what calls and connections raise into a message and an exit status."""
    try:
        yield
    except Away as error:
        fail(_away(error))
    except grpc.RpcError as error:
        # What a call raises is the call itself.
        call = cast(grpc.Call, error)
        fail(_answer(call), BAD_INPUT if call.code() is grpc.StatusCode.INVALID_ARGUMENT else FAILED)
    except (pika.exceptions.AMQPError, ConnectionError, socket.gaierror) as error:
        fail(f"消息服务器拒绝 broker: {cause(error)}")
    except (ValueError, OSError, SpoolInUseError) as error:
        fail(str(error), BAD_INPUT)


def _away(error: Away) -> str:
    return (
        f"平台没有应答：{error.what} {error.address}。本地平台用 `make up` 启动；别处的平台请核对地址。\n"
        f"nobody answers at {error.address} ({error.what}): {error.why}\n"
        "start the local stack with `make up`, or name another address"
    )


def unanswered(error: grpc.RpcError) -> str:
    """Why a call found nobody to answer it; empty when somebody did, be it with a refusal."""
    call = cast(grpc.Call, error)
    if call.code() is not grpc.StatusCode.UNAVAILABLE or rpc_status.from_call(call):
        return ""
    return (call.details() or "no connection").rpartition("last error: ")[2]


def _answer(call: grpc.Call) -> str:
    """Status, message and rule, then a line for each thing to know and each field that is wrong."""
    status = rpc_status.from_call(call)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details if status else ():
        # Each is told by its type and leaves the other alone.
        detail.Unpack(info) or detail.Unpack(bad)
    rule = f" [{info.reason}]" if info.reason else ""
    known = (f"  {name}: {value}" for name, value in sorted(info.metadata.items()))
    code = f"{REFUSALS.get(call.code(), '')} {call.code().name}".strip()
    return "\n".join([f"{code}: {call.details()}{rule}", *known, *_violations(bad)])


def _violations(bad: error_details_pb2.BadRequest) -> Iterator[str]:
    for violation in bad.field_violations:
        yield f"  {violation.field}: {violation.description} [{violation.reason}]"


def cause(error: BaseException) -> str:
    """The first thing that went wrong; pika wraps it in what it was doing."""
    inner = getattr(error, "exception", None) or next(iter(error.args), None)
    return cause(inner) if isinstance(inner, BaseException) else str(error) or type(error).__name__
