"""The grid (网格) and the phases: what a person changes in them, and who has to be looked at again. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from contracts.divisions import scope_prefix
from contracts.registry import Cell, Officer
from services.registry.decision import By, Change, Decision, Draft, change
from services.registry.documents import CellRow, Edit, Operator, Phase
from services.registry.standing import NOTHING, World


class Changed(NamedTuple):
    """A cell or a phase before and after, the row that says who did it, and what `store.concerned` needs."""

    before: Mapping[str, Any] | None
    after: dict[str, Any]
    row: Change
    concerned: dict[str, Any]


def set_cell(before: CellRow | None, wanted: CellRow, by: By, now: datetime) -> Changed:
    """A new cell, or another name, parent or station of one; its officer stays."""
    after: CellRow = {**wanted, "officer": before["officer"] if before else None, "version": _next(before)}
    detail = {name: str(after[name] or "") for name in ("name", "parent", "division", "station")}
    place = f"cell:{after['_id']}:{after['version']}"
    row = change(place, "cell", by, now, cell=after["_id"], detail=detail)
    return Changed(before, {**after}, row, {"areas": [after["area"]], "cell": after["_id"], "helper": None})


def hand_over(before: CellRow, officer: dict[str, str] | None, by: By, now: datetime) -> Changed:
    """Another officer in charge of a cell, or none; the row keeps from whom to whom."""
    after: CellRow = {**before, "officer": officer, "version": _next(before)}
    former = (before["officer"] or {}).get("officer", "")
    detail = {"from": former, "to": (officer or {}).get("officer", "")}
    place = f"officer:{after['_id']}:{after['version']}"
    row = change(place, "officer", by, now, cell=after["_id"], detail=detail)
    # Whose contact either is has one now, or has lost it.
    return Changed(before, {**after}, row, {"areas": [], "cell": after["_id"], "helper": former or None})


def set_phase(before: Phase | None, wanted: Phase, by: By, now: datetime) -> Changed:
    """A phase as people want it; all in its divisions, of before or after, may owe other things now."""
    after: Phase = {**wanted, "version": _next(before)}
    row = change(f"phase:{after['_id']}:{after['version']}", "phase", by, now, detail={"phase": after["_id"]})
    everywhere = not after["areas"] or (before is not None and not before["areas"])
    areas = [] if everywhere else sorted({*after["areas"], *(before["areas"] if before else ())})
    return Changed(before, {**after}, row, {"areas": areas, "cell": None, "helper": None})


def assign(
    operators: Iterable[Operator],
    edits: Sequence[Edit],
    kind: str,
    by: By,
    now: datetime,
    world: World = NOTHING,
) -> Decision:
    """Sets what a person says of sites: cell, 1:1 contact, closure. Rows of `kind` keep from what to what."""
    draft = Draft.of(operators, world)
    for edit in edits:
        former = draft.edits.get((edit["of"], edit["target"], edit["field"]))
        draft.edit(edit)
        place = ":".join([kind, edit["target"], edit["field"], now.isoformat()])
        detail = {"field": edit["field"], "from": former["value"] if former else "", "to": edit["value"]}
        draft.changes.append(change(place, kind, by, now, site=edit["target"], detail=detail))
    return draft.settle(by, now)


def within(division: str | None, area: str) -> bool:
    """Whether a division lies in an area; one that is not known may lie anywhere."""
    return not division or scope_prefix(division).startswith(area)


def announced(row: CellRow) -> Cell:
    """What others are told of a cell."""
    officer = row["officer"]
    return Cell(
        cell=row["_id"],
        parent=row["parent"],
        name=row["name"],
        division=row["division"],
        station=row["station"],
        station_name=row["station_name"],
        officer=Officer.model_validate(officer) if officer else None,
        version=row["version"],
    )


def _next(before: Mapping[str, Any] | None) -> int:
    return before["version"] + 1 if before else 1
