"""Answers of the apis as JSON, and as tables."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import typer
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from clients.cli.printing import print_table

Json = dict[str, Any]
Row = Callable[[Json], tuple[str, ...]]

INTEGERS: Final = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)
"""protobuf's JSON has these as text."""


def as_json(message: Message) -> Json:
    """Names as in the proto file, integers as numbers, enums as their words: `closed` of TASK_STATE_CLOSED."""
    found = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return _plain(found, cast(Descriptor, message.DESCRIPTOR))


def choices(enum: EnumDescriptor) -> dict[str, str]:
    """An enum's words and their names in the proto file, without the unspecified one."""
    first, *others = (value.name for value in enum.values)
    prefix = first.removesuffix("UNSPECIFIED")
    return {name.removeprefix(prefix).lower(): name for name in others}


def listing(key: str, title: str, heads: Sequence[str], row: Row) -> Callable[[Json], None]:
    """Prints what an answer has under a key, one or many, and how to see the next page."""

    def show(answer: Json) -> None:
        found = answer.get(key, [])
        token = answer.get("next_page_token", "")
        rows = map(row, found if isinstance(found, list) else [found])
        print_table(title, heads, rows)
        if token:
            # In one piece whatever the width, for it is copied.
            typer.echo(f"下一页 next page: --page-token {token}")

    return show


def in_turn(*shows: Callable[[Json], None]) -> Callable[[Json], None]:
    """One table after the other."""

    def show(answer: Json) -> None:
        for one in shows:
            one(answer)

    return show


def _plain(found: Json, message: Descriptor) -> Json:
    fields: Mapping[str, FieldDescriptor] = message.fields_by_name
    return {name: _each(value, fields[name]) for name, value in found.items()}


def _each(value: Any, field: FieldDescriptor) -> Any:
    return [_value(one, field) for one in value] if isinstance(value, list) else _value(value, field)


def _value(value: Any, field: FieldDescriptor) -> Any:
    if field.enum_type:
        return {name: word for word, name in choices(field.enum_type).items()}.get(value, "")
    if field.message_type and isinstance(value, dict) and not field.message_type.GetOptions().map_entry:
        return _plain(value, field.message_type)
    return int(value) if field.cpp_type in INTEGERS else value
