"""Commands that are one call each: options make a request, its answer is printed."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeVar, get_type_hints
from uuid import uuid4

import grpc
import typer
from google.protobuf.message import Message
from shilian.inspection.v1.inspection_pb2_grpc import InspectionServiceStub
from shilian.notify.v1.notify_pb2_grpc import NotifyServiceStub
from shilian.registry.v1.registry_pb2_grpc import RegistryServiceStub
from shilian.reporting.v1.reporting_pb2_grpc import ReportingServiceStub
from shilian.trace.v1.analysis_pb2_grpc import AnalysisServiceStub
from shilian.trace.v1.evidence_pb2_grpc import EvidenceServiceStub
from shilian.trace.v1.recall_pb2_grpc import RecallServiceStub
from shilian.trace.v1.trace_pb2_grpc import TraceServiceStub

from clients.cli import calling, where
from clients.cli.answers import Json, as_json, choices
from clients.cli.failing import reported
from clients.cli.printing import Format, FormatOption, print_json
from contracts import divisions

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper

STUBS: Final[Mapping[str, Callable[..., Any]]] = {
    "AnalysisService": AnalysisServiceStub,
    "EvidenceService": EvidenceServiceStub,
    "InspectionService": InspectionServiceStub,
    "NotifyService": NotifyServiceStub,
    "RecallService": RecallServiceStub,
    "RegistryService": RegistryServiceStub,
    "ReportingService": ReportingServiceStub,
    "TraceService": TraceServiceStub,
}
"""By the name of the gRPC service; one api may serve several, each in a proto file of its own."""

Built = TypeVar("Built", bound=Callable[..., Message])
Value = TypeVar("Value", bound=int)


def division_code(code: str) -> str:
    """A code or the digits it begins with. One that is mistyped would find nothing, which reads like good news."""
    if code and (len(code) in (1, 3, 5) or not divisions.known(code.ljust(6, "0"))):
        raise typer.BadParameter(f"{code!r} 不是行政区划代码或其前缀 is no division of GB/T 2260")
    return code


Division = Annotated[
    str,
    typer.Option(
        parser=division_code, metavar="code", help="区划代码或其前缀；空则为本人所属。Prefix of a division code."
    ),
]
RequestId = Annotated[str, typer.Option(help="上次请求的编号：原样答复，不重复办理。Of an earlier try.")]
Reason = Annotated[str, typer.Option(help="原因，记入变更记录。Why; kept with the change.")]
PageSize = Annotated[int, typer.Option(min=1, max=500)]
PageToken = Annotated[str, typer.Option(help="上一页给出的续页标记。As the page before named it.")]

WITH_FIELD: Final = {"request_id": (RequestId, ""), "page_size": (PageSize, 50), "page_token": (PageToken, "")}
"""Options of every command whose request has the field."""


class Caller(NamedTuple):
    """Whom to ask, and as whom: what the options say, if they do."""

    address: str | None
    token: str | None


def one_of(enum: "_EnumTypeWrapper[Any]") -> dict[str, Any]:
    """What an option takes: the enum's words, such as `station` of LEVEL_STATION."""
    return words([*choices(enum.DESCRIPTOR)])


def words(known: Sequence[str]) -> dict[str, Any]:
    """What an option takes: one of these words, or none where it may be empty."""

    def parsed(word: str) -> str:
        if word and word not in known:
            raise typer.BadParameter(f"{word!r} is none of {', '.join(known)}")
        return word

    return {"parser": parsed, "metavar": "|".join(known)}


def value(enum: "_EnumTypeWrapper[Value]", word: str) -> Value:
    """The enum's value of a word; the unspecified one of none."""
    names: Mapping[str, str] = choices(enum.DESCRIPTOR)
    return enum.Value(names.get(word, enum.DESCRIPTOR.values[0].name))


def ask(request: Message, caller: Caller, claims: Mapping[str, str] = where.PROVINCE) -> Json:
    """The answer to a request, as JSON. What is refused ends the command."""
    return as_json(call_as(request, caller, claims))


def call_as(request: Message, caller: Caller, claims: Mapping[str, str] = where.PROVINCE) -> Any:
    """The answer to a request. What is refused ends the command."""
    with reported(), calling.channel(where.grpc_address(caller.address, service_of(request.DESCRIPTOR))) as channel:
        return call(channel, request, calling.metadata(caller.token, claims))


def call(
    channel: grpc.Channel, request: Message, metadata: calling.Metadata, timeout: float | None = calling.TIMEOUT_S
) -> Any:
    """The call that a request's name says: `AssignTaskRequest` is for `AssignTask`."""
    stub = stub_of(request.DESCRIPTOR)(channel)
    rpc = request.DESCRIPTOR.name.removesuffix("Request")
    return getattr(stub, rpc)(request, timeout=timeout, metadata=metadata)


def service_of(message: Any) -> str:
    """Whose api is asked: `inspection` of shilian.inspection.v1.AssignTaskRequest."""
    return str(message.full_name.split(".")[1])


def stub_of(message: Any) -> Callable[..., Any]:
    """The stub of the one gRPC service in a request's proto file."""
    [service] = message.file.services_by_name
    return STUBS[service]


def grpc_option(service: str) -> Any:
    """Where a service's api listens, as an option."""
    option = typer.Option(f"--grpc-{service}", envvar=f"SHILIAN_GRPC_{service.upper()}", help="host:port")
    return Annotated[str | None, option]


class DrawnFormat(StrEnum):
    """How a command prints whose answer may be drawn."""

    TABLE = "table"
    JSON = "json"
    SVG = "svg"


DrawnFormatOption = Annotated[DrawnFormat, typer.Option("--format", help="输出方式。How to print.")]


def asks(
    app: typer.Typer, name: str, show: Callable[[Json], None], draw: Callable[[Json], str] | None = None
) -> Callable[[Built], Built]:
    """Makes a command of a function from options to a request; `show` prints the answer for people, `draw` is its
    picture as SVG.
    """

    def register(build: Built) -> Built:
        app.command(name)(_command(build, show, draw))
        return build

    return register


def _command(
    build: Callable[..., Message], show: Callable[[Json], None], draw: Callable[[Json], str] | None
) -> Callable[..., None]:
    message = get_type_hints(build)["return"].DESCRIPTOR
    common = [field for field in WITH_FIELD if field in message.fields_by_name]

    def command(*, format: Format | DrawnFormat, grpc_address: str | None, token: str | None, **given: Any) -> None:
        fields = {name: given.pop(name) for name in common}
        with reported():
            request = build(**given)
        answer = ask(_filled(request, fields), Caller(grpc_address, token))
        if format == Format.JSON:
            print_json(answer)
        elif draw and format is DrawnFormat.SVG:
            typer.echo(draw(answer))
        else:
            show(answer)

    options = {name: WITH_FIELD[name] for name in common} | {
        "format": (DrawnFormatOption, DrawnFormat.TABLE) if draw else (FormatOption, Format.TABLE),
        "grpc_address": (grpc_option(service_of(message)), None),
        "token": (where.Token, None),
    }
    return _signed(command, build, options)


def _filled(request: Message, fields: Mapping[str, Any]) -> Message:
    for name, given in fields.items():
        setattr(request, name, given or uuid4().hex if name == "request_id" else given)
    return request


def _signed(
    command: Callable[..., None], build: Callable[..., Message], options: Mapping[str, tuple[Any, Any]]
) -> Callable[..., None]:
    """The command with the options of the function and these after them, for typer to read."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    own = [one.replace(kind=keyword) for one in inspect.signature(build).parameters.values()]
    more = [
        inspect.Parameter(name, keyword, default=default, annotation=kind) for name, (kind, default) in options.items()
    ]
    signature = inspect.Signature([*own, *more])
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
    command.__doc__ = build.__doc__
    return command
