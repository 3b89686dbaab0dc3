"""The grid and the phases over gRPC: a change, who made it, what is announced and whom it concerns in one commit."""

# ruff: noqa: N802 - gRPC's names

from collections.abc import Callable
from typing import Any, cast

from pymongo import InsertOne, ReplaceOne
from shilian.registry.v1 import registry_pb2 as pb

from chassis import clock
from chassis.api.calls import current_call, current_caller
from chassis.api.errors import Aborted, InvalidArgument, NotFound
from chassis.api.once import once
from chassis.api.pages import page_size, page_token, position
from chassis.outgoing import Commit, outgoing
from chassis.timers import due
from contracts import rules
from contracts.divisions import scope_prefix
from contracts.registry import GridChangedV1
from services.registry import queries, store
from services.registry.claims import SELF
from services.registry.decision import By
from services.registry.documents import CellRow, Edit, Phase, Site
from services.registry.grid import grid
from services.registry.grid.requests import cell_row, officer_row, phase_row
from services.registry.grid.translate import cell_message, phase_message
from services.registry.reading import Reading, committed, reasoned
from services.registry.requests import require_inside
from services.registry.translate import site_message

DEEPEST = 12
"""Cells above a cell; more would be a ring."""


class GridCalls(Reading):
    """Cells, officers, contacts, phases."""

    async def ListCells(self, request: pb.ListCellsRequest, context: Any) -> pb.ListCellsResponse:
        size, (after,) = page_size(request), position(request, str) or [""]
        inside = queries.areas_within(current_caller().division)
        place = queries.areas_within(scope_prefix(request.division) if request.division else None)
        rows = self._store.db[store.CELLS].find({"$and": [inside, place, {"_id": {"$gt": after}}]})
        found = await rows.sort("_id", 1).to_list(size + 1)
        token = page_token(request, [found[size - 1]["_id"]]) if len(found) > size else ""
        return pb.ListCellsResponse(cells=map(cell_message, found[:size]), next_page_token=token)

    async def ListPhases(self, request: pb.ListPhasesRequest, context: Any) -> pb.ListPhasesResponse:
        rows = await self._store.db[store.PHASES].find().sort("_id", 1).to_list(None)
        return pb.ListPhasesResponse(phases=map(phase_message, sorted(rows, key=lambda row: row["starts"])))

    async def SetCell(self, request: pb.SetCellRequest, context: Any) -> pb.SetCellResponse:
        return await once(self._store, request, pb.SetCellResponse, self._set_cell)

    async def AssignOfficer(self, request: pb.AssignOfficerRequest, context: Any) -> pb.AssignOfficerResponse:
        return await once(self._store, request, pb.AssignOfficerResponse, self._hand_over)

    async def SetPhase(self, request: pb.SetPhaseRequest, context: Any) -> pb.SetPhaseResponse:
        return await once(self._store, request, pb.SetPhaseResponse, self._set_phase)

    async def PlaceSites(self, request: pb.PlaceSitesRequest, context: Any) -> pb.PlaceSitesResponse:
        return await once(self._store, request, pb.PlaceSitesResponse, self._place)

    async def AssignContact(self, request: pb.AssignContactRequest, context: Any) -> pb.AssignContactResponse:
        return await once(self._store, request, pb.AssignContactResponse, self._contact)

    async def _set_cell(self, request: pb.SetCellRequest) -> tuple[pb.SetCellResponse, Commit]:
        wanted, who = cell_row(request.cell), reasoned(request.reason)
        require_inside(current_caller(), wanted["division"])
        before = cast(CellRow | None, await self._store.db[store.CELLS].find_one({"_id": wanted["_id"]}))
        if before and before["division"] != wanted["division"]:
            # A cell is its place: sites, officer and history stay where they are.
            raise InvalidArgument([rules.error("cell.division", wanted["division"], "invalid_value")])
        _require_version(request.cell.version, before)
        await self._require_above(wanted)
        changed = grid.set_cell(before, wanted, who, clock.stamp())
        return pb.SetCellResponse(cell=cell_message(changed.after)), _grid_commit(changed, who)

    async def _require_above(self, wanted: CellRow) -> None:
        """Raises InvalidArgument when the parent is missing, lies elsewhere, or has the cell above itself."""
        parent = wanted["parent"]
        for _ in range(DEEPEST):
            if parent is None:
                return
            above = await self._store.db[store.CELLS].find_one({"_id": parent})
            if above is None or above["_id"] == wanted["_id"] or not wanted["area"].startswith(above["area"]):
                break
            parent = above["parent"]
        raise InvalidArgument([rules.error("cell.parent_id", wanted["parent"], "invalid_value")])

    async def _hand_over(self, request: pb.AssignOfficerRequest) -> tuple[pb.AssignOfficerResponse, Commit]:
        who = reasoned(request.reason)
        officer = officer_row(request.officer) if request.HasField("officer") else None
        before = await self._cell(request.cell_id)
        changed = grid.hand_over(before, officer, who, clock.stamp())
        return pb.AssignOfficerResponse(cell=cell_message(changed.after)), _grid_commit(changed, who)

    async def _set_phase(self, request: pb.SetPhaseRequest) -> tuple[pb.SetPhaseResponse, Commit]:
        wanted, who = phase_row(request.phase), reasoned(request.reason)
        before = cast(Phase | None, await self._store.db[store.PHASES].find_one({"_id": wanted["_id"]}))
        for phase in (wanted, before) if before else (wanted,):
            _require_place(phase)
        _require_version(request.phase.version, before)
        changed = grid.set_phase(before, wanted, who, clock.stamp())
        return pb.SetPhaseResponse(phase=phase_message(changed.after)), Commit(_written(store.PHASES, changed, who))

    async def _place(self, request: pb.PlaceSitesRequest) -> tuple[pb.PlaceSitesResponse, Commit]:
        cell = await self._cell(request.cell_id) if request.cell_id else None

        def check(site: Site) -> None:
            if cell and not grid.within(site["division"], cell["area"]):
                raise InvalidArgument([rules.error("cell_id", request.cell_id, "invalid_value")])

        sites, commit = await self._assign(request, "cell", request.cell_id, "placed", check)
        return pb.PlaceSitesResponse(sites=sites), commit

    async def _contact(self, request: pb.AssignContactRequest) -> tuple[pb.AssignContactResponse, Commit]:
        officer = {"officer.officer": request.officer_id}
        if request.officer_id and await self._store.db[store.CELLS].find_one(officer) is None:
            raise NotFound("officer", request.officer_id)
        sites, commit = await self._assign(request, "helper", request.officer_id, "contact", lambda site: None)
        return pb.AssignContactResponse(sites=sites), commit

    async def _assign(
        self, request: Any, field: str, value: str, kind: str, check: Callable[[Site], None]
    ) -> tuple[list[pb.Site], Commit]:
        who, at = reasoned(request.reason), clock.stamp()
        found = await self._asked_sites(request.site_ids)
        for site in found:
            check(site)
        ids = [site["site"] for site in found]
        edits = [Edit(of="site", target=id, field=field, value=value, at=at, who=who.who) for id in ids]
        operators, world = await self._sight(ids, edits=edits)
        decision = grid.assign(operators, edits, kind, who, at, world)
        return [site_message(*decision.site(id)) for id in ids], committed(decision)


def _require_place(phase: Phase) -> None:
    """Raises Denied when the phase reaches beyond the caller's division; everywhere is the province's to say."""
    caller = current_caller()
    for area in phase["areas"] or [(caller.division or "")[:2]]:
        require_inside(caller, area)


def _require_version(given: int, before: CellRow | Phase | None) -> None:
    """Raises Aborted when the caller decided on an older sight; 0 asks for nothing."""
    if given and (before is None or before["version"] != given):
        raise Aborted("version_changed", f"version is {before['version'] if before else 0} now")


def _grid_commit(changed: grid.Changed, who: By) -> Commit:
    body = GridChangedV1(cells=(grid.announced(cast(CellRow, changed.after)),))
    told = outgoing("registry.grid_changed.v1", body, source=SELF, parent=current_call().envelope(SELF))
    return Commit(_written(store.CELLS, changed, who), [told])


def _written(collection: str, changed: grid.Changed, who: By) -> dict[str, list[Any]]:
    """The document, the row, and a walk: a worker looks again at all whom it concerns.

    It collides when another was faster: the version is in the filter, and `upsert` then meets the `_id`.
    """
    version = changed.before["version"] if changed.before else 0
    placed = ReplaceOne({"_id": changed.after["_id"], "version": version}, changed.after, upsert=True)
    data = {**changed.concerned, **who._asdict(), "after": "", "again": True}
    walk = due(f"walk:{changed.row['_id']}", "walk", changed.row["at"], data)
    return {collection: [placed], store.CHANGES: [InsertOne(dict(changed.row))], **walk}
