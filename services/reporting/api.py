"""The gRPC side of reporting: translate, delegate."""

# ruff: noqa: N802 - gRPC's names

import asyncio
from collections.abc import AsyncIterator, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from shilian.reporting.v1 import reporting_pb2 as pb
from shilian.reporting.v1 import reporting_pb2_grpc

from chassis import clock
from chassis.api.calls import current_caller
from chassis.api.errors import InvalidArgument, NotFound
from chassis.api.mongo import Store
from chassis.api.once import once
from chassis.api.pages import page_size, page_token, position
from chassis.api.server import Service
from chassis.api.times import timestamp
from chassis.asking import answered_later
from contracts import rules
from services.reporting import months, queries, store, translate, uploads
from services.reporting.bulletin import as_json, composing, freeze, inputs, papers
from services.reporting.cards import Card, Cards
from services.reporting.domain import SiteRow, behind, lines
from services.reporting.queries import Query
from services.reporting.rebuild import Rebuild
from services.reporting.settings import ReportingSettings
from services.reporting.standard_calls import StandardCalls
from services.reporting.standards import Dimension, Standards
from services.reporting.store import Document

T = TypeVar("T")

PIECE: Final = 256 << 10
"""Bytes of a file in one message."""


class ReportingServicer(StandardCalls, reporting_pb2_grpc.ReportingServiceServicer):
    """Figures of the caller's division; any other is not found."""

    def __init__(self, own: Store, settings: ReportingSettings) -> None:
        super().__init__(own)
        self._cards = Cards(settings.scorecard_kept_s)
        self._rebuild = Rebuild(own, settings)
        self._press = ThreadPoolExecutor(1, thread_name_prefix="press")
        """One paper at a time, beside the event loop."""

    async def GetScorecard(self, request: pb.GetScorecardRequest, context: Any) -> pb.GetScorecardResponse:
        """A frozen month as it was frozen, other figures as they were counted not long ago.

        Raises NotFound for a division without sites, or not the caller's.
        """
        division = translate.division(current_caller(), request.division)
        window = translate.window(request.month, clock.now())
        card = await self._frozen(request.month, division) or await self._cards.get(
            window, division, lambda: self._lines(window, division)
        )
        shown = card.lines
        own = [line for line in shown if line["code"] == division and not line["link"]]
        if not own:
            raise NotFound("sites in division", division)
        below = [line for line in shown if line is not own[0] and (request.detailed or _next_below(line, division))]
        return pb.GetScorecardResponse(
            line=translate.line(own[0]),
            lines=map(translate.line, below),
            from_time=timestamp(window.start),
            until_time=timestamp(window.end),
            computed_time=timestamp(card.at),
        )

    async def ListBehind(self, request: pb.ListBehindRequest, context: Any) -> pb.ListBehindResponse:
        """Of a month that is frozen the sites as they were frozen. Raises InvalidArgument for no dimension of sites."""
        size, (after,) = page_size(request), position(request, str) or [""]
        dimension = translate.DIMENSIONS.get(request.dimension)
        if dimension in (None, Dimension.UPLOAD):
            raise InvalidArgument([rules.error("dimension", request.dimension, "invalid_value")])
        assert dimension is not None
        rows = await self._rows(request, translate.division(current_caller(), request.division))
        found = [
            (row, categories)
            for row in sorted(rows)
            if row.site > after and _asked(row, request)
            for counts, categories in [behind(row, dimension, request.missing)]
            if counts
        ]
        return pb.ListBehindResponse(
            sites=[translate.site(row, categories) for row, categories in found[:size]],
            next_page_token=page_token(request, [found[size - 1][0].site]) if len(found) > size else "",
        )

    async def GetBulletin(self, request: pb.GetBulletinRequest, context: Any) -> pb.GetBulletinResponse:
        """Raises NotFound."""
        stored, division = await self._bulletin(request)
        document = as_json.render(stored, division).decode()
        return pb.GetBulletinResponse(bulletin=translate.bulletin(stored), document=document)

    async def ListBulletins(self, request: pb.ListBulletinsRequest, context: Any) -> pb.ListBulletinsResponse:
        size, after = page_size(request), position(request, str, int)
        where: Document = {}
        if after:
            month, version = after
            where = {"$or": [{"month": {"$lt": month}}, {"month": month, "version": {"$lt": version}}]}
        cursor = self._db[store.BULLETINS].find(where, {"figures": 0}).sort([("month", -1), ("version", -1)])
        found = await cursor.to_list(size + 1)
        last = found[size - 1] if len(found) > size else None
        return pb.ListBulletinsResponse(
            bulletins=map(translate.bulletin, found[:size]),
            next_page_token=page_token(request, [last["month"], last["version"]]) if last else "",
        )

    async def DownloadBulletin(
        self, request: pb.DownloadBulletinRequest, context: Any
    ) -> AsyncIterator[pb.DownloadBulletinResponse]:
        """Raises NotFound, and InvalidArgument for no format."""
        if request.format not in papers.CONTENT_TYPES:
            raise InvalidArgument([rules.error("format", request.format, "invalid_value")])
        stored, division = await self._bulletin(request)
        loop = asyncio.get_running_loop()
        paper = await loop.run_in_executor(self._press, papers.paper, stored, division, request.format)
        yield pb.DownloadBulletinResponse(
            file_name=paper.name, content_type=paper.content_type, data=paper.data[:PIECE]
        )
        for start in range(PIECE, len(paper.data), PIECE):
            yield pb.DownloadBulletinResponse(data=paper.data[start : start + PIECE])

    async def RebuildFacts(self, request: pb.RebuildFactsRequest, context: Any) -> pb.RebuildFactsResponse:
        """Raises Unavailable when a service does not answer, FailedPrecondition when its address is not set."""
        authorization = dict(context.invocation_metadata()).get("authorization", "")
        answer = await once(
            self._store, request, pb.RebuildFactsResponse, lambda asked: self._rebuild.step(asked, authorization)
        )
        self._cards.forget()
        return answer

    async def _frozen(self, month: str, division: str) -> Card | None:
        latest = {"sort": [("version", -1)], "projection": {"figures.lines": 1, "frozen_at": 1}}
        stored = await self._db[store.BULLETINS].find_one({"month": month}, **latest) if month else None
        lines = _inside(stored["figures"]["lines"], division) if stored else []
        return Card(lines, stored["frozen_at"]) if stored and lines else None

    async def SetStandard(self, request: pb.SetStandardRequest, context: Any) -> pb.SetStandardResponse:
        answer = await super().SetStandard(request, context)
        self._cards.forget()
        return answer

    async def DeclareUploads(self, request: pb.DeclareUploadsRequest, context: Any) -> pb.DeclareUploadsResponse:
        answer = await super().DeclareUploads(request, context)
        self._cards.forget()
        return answer

    async def _lines(self, window: months.Window, division: str) -> list[Document]:
        month = months.name(
            window.first if window == months.window(months.name(window.first)) else months.day_of(clock.now())
        )
        rows = await self._ask(queries.site_rows(window, division))
        systems = await self._ask(uploads.systems(window, month, division))
        standards = queries.standards(await self._rows_of(Query(store.STANDARDS, [])))
        cells = await self._rows_of(Query(store.CELLS, []))
        names = {cell["station"]: cell["station_name"] or cell["station"] for cell in cells}
        found = await asyncio.to_thread(lines, rows, systems, Standards(standards, window.first))
        return [
            composing.line_document(line, names) for line in found if (line.county or line.code).startswith(division)
        ]

    async def _rows(self, request: pb.ListBehindRequest, division: str) -> list[SiteRow]:
        if request.month:
            parts = await self._rows_of(freeze.inputs_of(translate.month(request.month)))
            if parts:
                rows = await asyncio.to_thread(lambda: [*inputs.unpack(part["rows"] for part in parts)])
                return [row for row in rows if row.division.startswith(division)]
        return await self._ask(queries.site_rows(translate.window(request.month, clock.now()), division))

    async def _bulletin(self, request: pb.GetBulletinRequest | pb.DownloadBulletinRequest) -> tuple[Document, str]:
        where: Document = {"month": translate.month(request.month)}
        if request.version:
            where["version"] = request.version
        stored = await self._db[store.BULLETINS].find_one(where, sort=[("version", -1)])
        division = translate.division(current_caller(), request.division)
        if stored is not None and not division:
            division = next(iter(composing.provinces(stored["figures"])), "")
        known = {line["code"] for line in stored["figures"]["lines"]} if stored else set()
        if stored is None or division not in known:
            raise NotFound("bulletin", f"{request.month} {division}")
        return stored, division

    async def _ask(self, steps: Generator[Query, list[Document], T]) -> T:
        """Sends a generator the rows of every query it yields; what it returns in the end."""
        return await answered_later(steps, self._rows_of)

    async def _rows_of(self, query: Query) -> list[Document]:
        return await self._db[query.collection].aggregate(query.pipeline, allowDiskUse=True).to_list(None)


def _inside(shown: list[Document], division: str) -> list[Document]:
    return [line for line in shown if (line["county"] or line["code"]).startswith(division)]


def _next_below(line: Document, division: str) -> bool:
    """Lines of the next level below a division, over all links."""
    level = {0: "province", 2: "city", 4: "county", 6: "station"}.get(len(division), "station")
    return line["level"] == level and not line["link"]


def _asked(row: SiteRow, request: pb.ListBehindRequest) -> bool:
    return request.station in ("", row.station) and request.link in ("", row.link)


def service(settings: ReportingSettings) -> Service:
    """Reporting's service with its settings."""
    return Service(
        pb.DESCRIPTOR.services_by_name["ReportingService"],
        reporting_pb2_grpc.add_ReportingServiceServicer_to_server,
        lambda own: ReportingServicer(own, settings),
    )
