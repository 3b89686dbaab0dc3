"""Calls of the platform's gRPC apis as one person or another, each with a token of their own."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from uuid import uuid4

import grpc
import jwt
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from clients.cli import calling
from clients.cli.asking import service_of, stub_of

T = TypeVar("T")

LOOK_S, PATIENCE_S = 0.1, 300.0
"""How often to ask again, and how long to wait for an answer that must come."""

VALID: Final = timedelta(minutes=5)


class Person(NamedTuple):
    """A regulator and the division that they see."""

    name: str
    division: str


PROVINCE: Final = Person("省局值班员", "370000")


class Desk:
    """All apis of one stack."""

    def __init__(self, addresses: dict[str, str], key: Path) -> None:
        self._key = key.read_bytes()
        self._open = ExitStack()
        self._channels = {
            name: self._open.enter_context(calling.channel(address)) for name, address in addresses.items()
        }

    def ask(self, request: Message, who: Person = PROVINCE) -> Any:
        """The answer; `AssignTaskRequest` is for `AssignTask`. A request that wants an id of its own gets one."""
        message: Any = request
        if "request_id" in message.DESCRIPTOR.fields_by_name and not message.request_id:
            message.request_id = uuid4().hex
        stub = stub_of(message.DESCRIPTOR)(self._channels[service_of(message.DESCRIPTOR)])
        rpc = getattr(stub, message.DESCRIPTOR.name.removesuffix("Request"))
        return rpc(message, timeout=calling.TIMEOUT_S, metadata=(("authorization", f"Bearer {self.token(who)}"),))

    def refusal(self, request: Message, who: Person) -> str:
        """The rule that a call must be refused by. Raises RuntimeError when it is not refused."""
        try:
            self.ask(request, who)
        except grpc.RpcError as error:
            status: Any = rpc_status.from_call(error)  # type: ignore[arg-type]
            info = ErrorInfo()
            if any(detail.Unpack(info) for detail in status.details):
                return str(info.reason)
            raise
        raise RuntimeError(f"{type(request).__name__} of {who.name} was not refused")

    def token(self, who: Person) -> str:
        """A token that says who calls."""
        claims = {"sub": who.name, "role": "regulator", "division": who.division, "aud": "shilian"}
        token: str = jwt.encode({**claims, "exp": datetime.now(UTC) + VALID}, self._key, "EdDSA")
        return token

    def close(self) -> None:
        """Ends the connections."""
        self._open.close()


def awaited(what: str, look: Callable[[], T], patience: float = PATIENCE_S) -> T:
    """What `look` finds as soon as it finds something. Raises TimeoutError that says what did not come."""
    until = time.monotonic() + patience
    while not (found := look()):
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {patience:.0f} s")
        time.sleep(LOOK_S)
    return found
