"""Thresholds, weights and declarations over gRPC: set once, and listed with who set them and why."""

# ruff: noqa: N802 - gRPC's names

from typing import Any

from shilian.reporting.v1 import reporting_pb2 as pb

from chassis import clock
from chassis.api.calls import current_caller
from chassis.api.mongo import Store
from chassis.api.once import once
from chassis.api.pages import page_size, page_token, position
from chassis.outgoing import Commit
from services.reporting import queries, requests, store, translate


class StandardCalls:
    """What people set of the scoring; older versions stay on record."""

    def __init__(self, own: Store) -> None:
        self._store = own
        self._db = own.db

    async def SetStandard(self, request: pb.SetStandardRequest, context: Any) -> pb.SetStandardResponse:
        return await once(self._store, request, pb.SetStandardResponse, self._set_standard)

    async def ListStandards(self, request: pb.ListStandardsRequest, context: Any) -> pb.ListStandardsResponse:
        size, (after,) = page_size(request), position(request, str) or [""]
        where = {**queries.holding(translate.division(current_caller(), request.division)), "_id": {"$gt": after}}
        found = await self._db[store.STANDARDS].find(where).sort("_id", 1).to_list(size + 1)
        return pb.ListStandardsResponse(
            standards=[*([] if after else [translate.DEFAULT_STANDARD]), *map(translate.standard, found[:size])],
            next_page_token=page_token(request, [found[size - 1]["_id"]]) if len(found) > size else "",
        )

    async def DeclareUploads(self, request: pb.DeclareUploadsRequest, context: Any) -> pb.DeclareUploadsResponse:
        return await once(self._store, request, pb.DeclareUploadsResponse, self._declare)

    async def ListDeclarations(self, request: pb.ListDeclarationsRequest, context: Any) -> pb.ListDeclarationsResponse:
        size, (after,) = page_size(request), position(request, str) or [""]
        month = {"month": translate.month(request.month)} if request.month else {}
        where = {**queries.within(translate.division(current_caller(), request.division)), **month}
        found = (
            await self._db[store.DECLARATIONS].find({**where, "_id": {"$gt": after}}).sort("_id", 1).to_list(size + 1)
        )
        return pb.ListDeclarationsResponse(
            declarations=map(translate.declaration, found[:size]),
            next_page_token=page_token(request, [found[size - 1]["_id"]]) if len(found) > size else "",
        )

    async def _set_standard(self, request: pb.SetStandardRequest) -> tuple[pb.SetStandardResponse, Commit]:
        number = await self._db[store.STANDARDS].count_documents({}) + 1
        row = requests.standard(request, current_caller(), number, clock.now())
        return pb.SetStandardResponse(standard_id=row["_id"]), Commit(store.standard(row))

    async def _declare(self, request: pb.DeclareUploadsRequest) -> tuple[pb.DeclareUploadsResponse, Commit]:
        row = requests.declaration(request, current_caller(), clock.now())
        if before := await self._db[store.DECLARATIONS].find_one({"_id": row["_id"]}):
            requests.within_reach(current_caller(), before["division"])
        return pb.DeclareUploadsResponse(declaration_id=row["_id"]), Commit(store.declared(row))
