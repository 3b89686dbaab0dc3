"""Rosters over gRPC: rows are judged at once and taken in by a worker, a sheet to a transaction."""

# ruff: noqa: N802 - gRPC's names

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pymongo import InsertOne, UpdateOne
from shilian.registry.v1 import registry_pb2 as pb

from chassis import clock
from chassis.api.calls import current_caller
from chassis.api.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.api.once import once
from chassis.outgoing import Commit
from chassis.timers import due
from contracts import divisions, rules
from services.registry import queries, store
from services.registry.documents import Claim
from services.registry.reading import Reading
from services.registry.requests import require_inside
from services.registry.roster.entries import Import, Read, as_of, read
from services.registry.roster.tables import Row, rows_of
from services.registry.roster.translate import roster_message
from services.registry.translate import roster_kind_word

SHEET: Final = 500
"""Entries a worker takes in in one transaction."""
SHOWN: Final = 1000
"""Errors that an answer holds."""
COUNTED: Final = ("taken", "changed", "ended")
"""What the worker counts."""


class RosterCalls(Reading):
    """Import and its progress."""

    async def ImportRoster(self, request: pb.ImportRosterRequest, context: Any) -> pb.ImportRosterResponse:
        return await once(self._store, request, pb.ImportRosterResponse, self._import)

    async def GetRosterImport(self, request: pb.GetRosterImportRequest, context: Any) -> pb.GetRosterImportResponse:
        asked = {"_id": request.import_id, **queries.areas_within(current_caller().division)}
        found = await self._store.db[store.IMPORTS].find_one(asked)
        if found is None:
            raise NotFound("roster import", request.import_id)
        return pb.GetRosterImportResponse(roster_import=roster_message(found))

    async def _import(self, request: pb.ImportRosterRequest) -> tuple[pb.ImportRosterResponse, Commit]:
        at = clock.stamp()
        former = await self._store.db[store.IMPORTS].find_one({"_id": request.import_id or request.request_id})
        meant = _meant(request, former, at)
        await self._require_latest(meant)
        found = await asyncio.to_thread(_read, request, meant)
        row = _row(request, meant, former, found)
        errors = [pb.RosterError(row=number, **error.model_dump()) for number, error in found.errors[:SHOWN]]
        return pb.ImportRosterResponse(roster_import=roster_message(row), errors=errors), _commit(row, found, at)

    async def _require_latest(self, meant: Import) -> None:
        """Raises FailedPrecondition when a later list said of this place who is on it and who is not."""
        wider = {"area": {"$in": [meant.area[:length] for length in range(2, len(meant.area) + 1)]}}
        place = {"$or": [wider, queries.areas_within(meant.area)]}
        later = {"kind": meant.kind, "complete": True, "as_of": {"$gt": meant.as_of}, "_id": {"$ne": meant.id}}
        if found := await self._store.db[store.IMPORTS].find_one({**later, **place}):
            raise FailedPrecondition("roster_superseded", f"import {found['_id']} is later and complete")


def _meant(request: pb.ImportRosterRequest, former: Mapping[str, Any] | None, at: datetime) -> Import:
    """What is to be imported. Raises InvalidArgument, Denied, FailedPrecondition for a list that is complete."""
    kind = roster_kind_word(request.kind)
    if not kind or not divisions.known(request.division):
        wrong = ("division", request.division, "unknown_division") if kind else ("kind", None, "required")
        raise InvalidArgument([rules.error(*wrong)])
    require_inside(current_caller(), request.division)
    try:
        moment = as_of(request.as_of, at)
    except ValueError:
        raise InvalidArgument([rules.error("as_of", request.as_of, "time_unreadable")]) from None
    if former is None:
        return Import(request.import_id or request.request_id, kind, request.division, moment)
    if (former["kind"], former["division"]) != (kind, request.division):
        raise InvalidArgument([rules.error("import_id", former["_id"], "id_reused")])
    if former["complete"]:
        raise FailedPrecondition("import_complete", f"import {former['_id']} is complete")
    return Import(former["_id"], kind, request.division, former["as_of"])


def _read(request: pb.ImportRosterRequest, meant: Import) -> Read:
    if bool(request.file) == bool(request.rows):
        raise InvalidArgument([rules.error("file", None, "required")])
    return read(rows_of(request.file) if request.file else _given(request.rows), meant)


def _given(rows: Iterable[pb.RosterRow]) -> list[Row]:
    """Rows as they would stand in a file."""
    return [Row(number, {field.name: value for field, value in row.ListFields()}) for number, row in enumerate(rows, 1)]


def _row(
    request: pb.ImportRosterRequest, meant: Import, former: Mapping[str, Any] | None, found: Read
) -> dict[str, Any]:
    caller = current_caller()
    counts = former or dict.fromkeys(("parts", "rows", "refused", *COUNTED), 0)
    return {
        "_id": meant.id,
        "kind": meant.kind,
        "division": meant.division,
        "area": meant.area,
        "as_of": meant.as_of,
        "complete": request.complete,
        "who": caller.subject,
        "role": caller.role,
        **{name: counts[name] for name in COUNTED},
        "parts": counts["parts"] + 1,
        "rows": counts["rows"] + len(found.claims),
        "refused": counts["refused"] + found.refused,
        "done": False,
    }


def _commit(row: Mapping[str, Any], found: Read, at: datetime) -> Commit:
    # A worker counts in the row meanwhile; only another part makes this one be decided anew.
    counts = {name: row[name] for name in COUNTED}
    told = {name: value for name, value in row.items() if name not in {"_id", *COUNTED}}
    placed = UpdateOne(
        {"_id": row["_id"], "parts": row["parts"] - 1}, {"$set": told, "$setOnInsert": counts}, upsert=True
    )
    sheets = [_sheet(row, number, part) for number, part in enumerate(_parts(found.claims))]
    waiting = due(f"roster:{row['_id']}", "roster", at, {"import": row["_id"]})
    return Commit({store.IMPORTS: [placed], store.SHEETS: sheets, **waiting})


def _parts(claims: list[Claim]) -> list[list[Claim]]:
    return [claims[start : start + SHEET] for start in range(0, len(claims), SHEET)]


def _sheet(row: Mapping[str, Any], number: int, entries: list[Claim]) -> InsertOne[dict[str, Any]]:
    id = f"{row['_id']}:{row['parts']:06}:{number:06}"
    return InsertOne({"_id": id, "import": row["_id"], "entries": entries})
