"""Imports of rosters as protobuf messages."""

from collections.abc import Mapping
from typing import Any, Final

from shilian.registry.v1 import registry_pb2 as pb

from services.registry.standing import day_of

_PROGRESS: Final = ("division", "complete", "rows", "refused", "taken", "changed", "ended", "done")


def roster_message(row: Mapping[str, Any]) -> pb.RosterImport:
    """How far an import is."""
    return pb.RosterImport(
        import_id=row["_id"],
        kind=pb.RosterKind.Value(f"ROSTER_KIND_{row['kind'].upper()}"),
        as_of=day_of(row["as_of"]),
        **{name: row[name] for name in _PROGRESS},
    )
