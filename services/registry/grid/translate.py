"""Cells and phases as protobuf messages."""

from collections.abc import Mapping
from typing import Any

from shilian.registry.v1 import registry_pb2 as pb

from services.registry.translate import category_number, unit_kind_number


def cell_message(row: Mapping[str, Any]) -> pb.Cell:
    """A cell and who is in charge of it."""
    officer = row["officer"]
    return pb.Cell(
        cell_id=row["_id"],
        parent_id=row["parent"] or "",
        name=row["name"],
        division=row["division"],
        station=row["station"],
        station_name=row["station_name"] or "",
        officer=_officer(officer) if officer else None,
        version=row["version"],
    )


def _officer(row: Mapping[str, str]) -> pb.Officer:
    reach = {name: row.get(name, "") for name in ("name", "phone", "wechat", "email")}
    return pb.Officer(officer_id=row["officer"], **reach)


def phase_message(row: Mapping[str, Any]) -> pb.Phase:
    """A phase; its divisions as prefixes."""
    return pb.Phase(
        phase_id=row["_id"],
        name=row["name"],
        starts_on=row["starts"],
        ends_on=row["ends"] or "",
        divisions=row["areas"],
        duties=row["duties"],
        categories=map(category_number, row["categories"]),
        unit_kinds=map(unit_kind_number, row["unit_kinds"]),
        clause=row["clause"],
        version=row["version"],
    )
