"""gRPC calls about what to check, and how far that is: risk grades, points due, recalls: translate, delegate."""

# ruff: noqa: N802 - gRPC's names

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shilian.inspection.v1 import inspection_pb2 as pb

from chassis import clock
from chassis.api.calls import current_caller
from chassis.api.errors import NotFound
from chassis.api.pages import page_size, page_token, position
from chassis.api.times import timestamp
from chassis.asking import answered_later
from services.inspection import queries, store
from services.inspection.checks import points, sampling
from services.inspection.documents import Document
from services.inspection.reading import Reading
from services.inspection.recalls.tasks import progress
from services.inspection.risk import credit, risk
from services.inspection.translate import number


class RiskCalls(Reading):
    """Grades and what is due. What the caller may not see is not found."""

    async def GetRiskGrade(self, request: pb.GetRiskGradeRequest, context: Any) -> pb.GetRiskGradeResponse:
        facts, now = await self._known_site(request.site_id), clock.stamp()
        ids = [facts.site, *(await self._aliases([facts.site]))]
        file = await answered_later(credit.asked_file(ids, now), self._ask)
        since, until = sampling.year_of(now)
        done = await self._db[store.TASKS].count_documents(queries.checked(ids, since, until))
        return pb.GetRiskGradeResponse(grade=_grade(facts.site, risk.assess(facts, file, now), file, done))

    async def ListDuePoints(self, request: pb.ListDuePointsRequest, context: Any) -> pb.ListDuePointsResponse:
        size, (after,) = page_size(request), position(request, str) or [""]
        asked = queries.sites_after(current_caller(), request.division, after)
        found = await self._page(store.SITES, asked, [("_id", 1)], size)
        now = clock.stamp()
        since = points.months_before(now, 12 * points.COVERED_YEARS)
        due = await self._due(found[:size], since, now)
        return pb.ListDuePointsResponse(
            sites=due, next_page_token=page_token(request, [found[size - 1]["_id"]]) if len(found) > size else ""
        )

    async def GetRecallProgress(
        self, request: pb.GetRecallProgressRequest, context: Any
    ) -> pb.GetRecallProgressResponse:
        """Raises NotFound for a recall of which the caller's scope has no task."""
        caller = current_caller()
        asked = progress(request.recall_id, queries.scope(caller), queries.within(request.division))
        found = await self._db[store.TASKS].aggregate(asked).to_list(None)
        if not found:
            raise NotFound("recall", request.recall_id)
        return pb.GetRecallProgressResponse(
            recall_id=request.recall_id,
            parts=[_part(row) for row in found],
            tasks=sum(row["tasks"] for row in found),
            confirmed=sum(row["confirmed"] for row in found),
            withdrawn=sum(row["withdrawn"] for row in found),
        )

    async def _due(self, sites: Sequence[Document], since: datetime, now: datetime) -> list[pb.DueSite]:
        names = {site["_id"]: site["_id"] for site in sites} | await self._aliases([site["_id"] for site in sites])
        checks: dict[str, list[Document]] = {site["_id"]: [] for site in sites}
        async for row in self._db[store.TASKS].find(queries.checked([*names], since, now), queries.CHECK_FIELDS):
            checks[names[row["site"]]].append(row)
        return [
            _due_site(site, missing, checks[site["_id"]])
            for site in sites
            if (missing := points.missing(site.get("link"), (row["items"] for row in checks[site["_id"]])))
        ]


def _part(row: Document) -> pb.RecallPart:
    where = row["_id"]
    return pb.RecallPart(
        division=where["division"] or "",
        station=where["station"] or "",
        tasks=row["tasks"],
        confirmed=row["confirmed"],
        problems=row["problems"],
        withdrawn=row["withdrawn"],
    )


def _grade(site: str, found: risk.Assessment, file: Sequence[risk.Entry], done: int) -> pb.RiskGrade:
    return pb.RiskGrade(
        site_id=site,
        grade=found.grade.letter,
        static_points=found.static,
        dynamic_points=found.dynamic,
        table_version=found.version,
        points=[pb.RiskPoint(**each._asdict()) for each in found.points],
        credit=[pb.CreditEntry(kind=e.kind, time=timestamp(e.at), subject=e.id, what=e.what) for e in file],
        least_checks=found.grade.least_checks,
        most_checks=found.grade.most_checks,
        checks_done=done,
    )


def _due_site(site: Document, missing: Sequence[str], checks: Sequence[Document]) -> pb.DueSite:
    return pb.DueSite(
        site_id=site["_id"],
        site_name=site["name"],
        division=site.get("division") or "",
        link=number(pb.Link, "LINK", site.get("link")),
        station=site.get("station") or "",
        points=[pb.CheckPoint(id=id, zh=points.POINTS[id]) for id in missing],
        last_check_time=timestamp(max((row["inspected_at"] for row in checks), default=None)),
    )
