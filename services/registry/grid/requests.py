"""Cells, officers and phases as callers want them, checked."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from shilian.registry.v1 import registry_pb2 as pb

from chassis.api.errors import InvalidArgument
from contracts import rules
from contracts.divisions import known, scope_prefix
from services.registry.documents import CellRow, Phase
from services.registry.translate import category_word, unit_kind_word

_DUTIES: Final = ("register", "activate")


def cell_row(cell: pb.Cell) -> CellRow:
    """A cell as a person wants it. Raises InvalidArgument when something is missing."""
    _require("cell", cell, ("cell_id", "name", "station"))
    if any(char.isspace() or char == "@" for char in cell.cell_id):
        raise InvalidArgument([rules.error("cell.cell_id", cell.cell_id, "invalid_value")])
    if not known(cell.division):
        raise InvalidArgument([rules.error("cell.division", cell.division, "unknown_division")])
    return {
        "_id": cell.cell_id,
        "parent": cell.parent_id or None,
        "name": cell.name,
        "division": cell.division,
        "area": scope_prefix(cell.division),
        "station": cell.station,
        "station_name": cell.station_name or None,
        "officer": None,
        "version": 0,
    }


def officer_row(officer: pb.Officer) -> dict[str, str]:
    """An officer with what is known of how to reach them. Raises InvalidArgument when something is missing."""
    _require("officer", officer, ("officer_id", "name"))
    given = {name: getattr(officer, name) for name in ("name", "phone", "wechat", "email")}
    return {"officer": officer.officer_id, **{name: value for name, value in given.items() if value}}


def phase_row(phase: pb.Phase) -> Phase:
    """A phase as a person wants it. Raises InvalidArgument for what is missing or no day, duty or division."""
    _require("phase", phase, ("phase_id", "name", "starts_on"))
    wrong = [rules.error("phase.duties", duty, "invalid_value") for duty in phase.duties if duty not in _DUTIES]
    unknown = (division for division in phase.divisions if not known(division))
    wrong += [rules.error("phase.divisions", division, "unknown_division") for division in unknown]
    days = {"starts_on": phase.starts_on, **({"ends_on": phase.ends_on} if phase.ends_on else {})}
    wrong += [rules.error(f"phase.{name}", day, "time_unreadable") for name, day in days.items() if not _is_day(day)]
    if phase.ends_on and phase.ends_on < phase.starts_on:
        wrong.append(rules.error("phase.ends_on", phase.ends_on, "time_order"))
    if wrong:
        raise InvalidArgument(wrong)
    return {
        "_id": phase.phase_id,
        "name": phase.name,
        "starts": phase.starts_on,
        "ends": phase.ends_on or None,
        "areas": sorted({scope_prefix(division) for division in phase.divisions}),
        "duties": [*phase.duties],
        "categories": sorted({category_word(category) for category in phase.categories if category}),
        "unit_kinds": sorted({unit_kind_word(kind) for kind in phase.unit_kinds if kind}),
        "clause": phase.clause,
        "version": 0,
    }


def _require(of: str, message: Any, names: Sequence[str]) -> None:
    missing = [rules.error(f"{of}.{name}", None, "required") for name in names if not getattr(message, name).strip()]
    if missing:
        raise InvalidArgument(missing)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
