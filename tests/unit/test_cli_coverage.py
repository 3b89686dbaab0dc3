"""Every RPC has a command, or a reason why it has none."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from google.protobuf.descriptor import MethodDescriptor

from clients.cli import asking
from tests.calls import grpc_services
from tests.processes import ROOT

CLI = ROOT / "clients/cli"

WITHOUT = {
    "registry.BatchGetOperators": "for machines that join many ids; people list or get",
    "notify.RecordReceipts": "a provider's callback tells it, through notify's web",
    "notify.RecordGrant": "a recipient's tap in WeChat tells it, through notify's web",
}
"""RPCs that no person calls, each with the reason."""


def rpcs() -> dict[str, MethodDescriptor]:
    return {f"{name}.{method.name}": method for name, service in grpc_services() for method in service.methods}


def messages_named_in(file: Path) -> Iterator[str]:
    """Full names of the messages that a module of the command line makes."""
    tree = ast.parse(file.read_text())
    bound = dict(_bound(tree))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            module = bound.get(node.func.value.id)
            found = getattr(module, node.func.attr, None)
            if found is not None and hasattr(found, "DESCRIPTOR"):
                yield found.DESCRIPTOR.full_name


def _bound(tree: ast.Module) -> Iterator[tuple[str, ModuleType]]:
    """Names under which a module knows generated stubs."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("shilian."):
            for alias in node.names:
                if alias.name.endswith("_pb2"):
                    yield alias.asname or alias.name, import_module(f"{node.module}.{alias.name}")


def reached() -> set[str]:
    made = {message for file in CLI.glob("*.py") for message in messages_named_in(file)}
    return {name for name, method in rpcs().items() if method.input_type.full_name in made}


def test_all_five_services_are_looked_at() -> None:
    assert {name for name, _ in grpc_services()} == {"inspection", "notify", "registry", "reporting", "trace"}
    assert {service.name for _, service in grpc_services()} == asking.STUBS.keys()


def test_every_rpc_has_a_command_or_a_reason() -> None:
    assert sorted(rpcs().keys() - reached() - WITHOUT.keys()) == []


@pytest.mark.parametrize("name", WITHOUT)
def test_a_reason_is_of_an_rpc_that_has_no_command(name: str) -> None:
    assert name in rpcs()
    assert name not in reached()


def test_what_is_not_made_is_not_reached(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text("from shilian.trace.v1 import trace_pb2 as pb\npb.GetEventRequest(event_id='E')\npb.TraceRequest\n")
    assert [*messages_named_in(file)] == ["shilian.trace.v1.GetEventRequest"]


def told(file: Path) -> Iterator[str]:
    """What a module's options and arguments say of themselves."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.keyword) and node.arg == "help" and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


@pytest.mark.parametrize("file", sorted(CLI.glob("*.py")), ids=lambda file: file.stem)
def test_options_speak_chinese_first(file: Path) -> None:
    addresses = ("host:port", "amqp://")
    assert [text for text in told(file) if text.isascii() and not text.startswith(addresses)] == []
