"""Requests of any RPC, made from its descriptor: one that could be meant, and that with a field nobody can mean."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import uuid4

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

DEPTH: Final = 3
INTEGERS: Final = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
FLOATS: Final = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)
TEXTS: Final = ("食" * 10_000, "\x00$where: '){.*", "NaN")
MANY: Final = 2_000


def plausible(message: Descriptor, known: Mapping[str, Any], depth: int = 0) -> Message:
    """A request that names what there is (`known`, by field) and is otherwise made up; a request_id of its own."""
    made: Message = GetMessageClass(message)()
    for field in message.fields:
        if field.name != "page_token" and not _is_map(field) and depth < DEPTH:
            _set(made, field, _meant(field, known, depth))
    return made


def absurd(message: Descriptor, known: Mapping[str, Any]) -> Iterator[tuple[str, Message]]:
    """For each field and each value that is none: what is wrong, and the request."""
    for field in message.fields:
        for value in () if _is_map(field) or field.name == "request_id" else _hostile(field):
            made = plausible(message, known)
            made.ClearField(field.name)
            _set(made, field, value)
            yield f"{field.name}={str(value)[:40]!r}", made


def _meant(field: FieldDescriptor, known: Mapping[str, Any], depth: int) -> Any:
    if field.name in known:
        return known[field.name]
    if field.message_type:
        return plausible(field.message_type, known, depth + 1)
    if field.name == "request_id":
        return uuid4().hex
    return _filler(field)


def _filler(field: FieldDescriptor) -> Any:
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return b"1" if field.type == FieldDescriptor.TYPE_BYTES else "1"
    return 1


def _hostile(field: FieldDescriptor) -> Iterator[Any]:
    if field.message_type:
        yield from (nested for _, nested in absurd(field.message_type, {}))
    elif field.cpp_type in INTEGERS:
        yield from INTEGERS[field.cpp_type]
    elif field.cpp_type in FLOATS:
        yield from (float("nan"), float("-inf"))
    elif field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        yield from (0, 999, -1)
    elif field.type == FieldDescriptor.TYPE_BYTES:
        yield from (b"", b"\xff\x00" * 10_000)
    elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        yield from TEXTS
    if field.is_repeated and not field.message_type:
        yield [_filler(field)] * MANY


def _set(made: Message, field: FieldDescriptor, value: Any) -> None:
    if field.is_repeated:
        getattr(made, field.name).extend(value if isinstance(value, list) else [value])
    elif field.message_type:
        getattr(made, field.name).CopyFrom(value)
    else:
        setattr(made, field.name, value)


def _is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)
