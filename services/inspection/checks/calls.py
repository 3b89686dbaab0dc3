"""gRPC calls about samples and the duty ledger: translate, delegate."""

# ruff: noqa: N802 - gRPC's names

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from shilian.inspection.v1 import inspection_pb2 as pb

from chassis import clock
from chassis.api.calls import current_caller
from chassis.api.errors import Denied, InvalidArgument
from chassis.api.once import once
from chassis.api.pages import page_size, page_token, position
from chassis.api.times import moment
from chassis.caller import Caller
from chassis.outgoing import Commit
from contracts import rules
from contracts.divisions import scope_prefix
from services.inspection import queries, store
from services.inspection.checks import points, samples, sampling
from services.inspection.decision import Decision
from services.inspection.documents import Document, LedgerRow
from services.inspection.reading import Reading, commit
from services.inspection.requests import act
from services.inspection.risk import marks
from services.inspection.risk.marks import Score
from services.inspection.rules import Refused
from services.inspection.tasks import tasks
from services.inspection.translate import (
    ledger_message,
    number,
    refused,
    sample_message,
    score_message,
)

LARGEST: Final = 500
"""Sites in one sample."""


class CheckCalls(Reading):
    """Samples, ledger. What the caller may not see is not found."""

    async def ListLedger(self, request: pb.ListLedgerRequest, context: Any) -> pb.ListLedgerResponse:
        size, at = page_size(request), position(request, str, str)
        before = _before(request, at) if at else None
        since, until = moment(request, "since"), moment(request, "until")
        asked = queries.ledger_like(
            current_caller(), request.division, since, until, before, officer=request.officer, subject=request.subject
        )
        found = await self._page(store.LEDGER, asked, [("at", -1), ("_id", -1)], size)
        last = found[size - 1] if len(found) > size else None
        return pb.ListLedgerResponse(
            entries=[ledger_message(cast(LedgerRow, row)) for row in found[:size]],
            next_page_token=page_token(request, [last["at"].isoformat(), last["_id"]]) if last else "",
        )

    async def DrawSample(self, request: pb.DrawSampleRequest, context: Any) -> pb.DrawSampleResponse:
        return await once(self._store, request, pb.DrawSampleResponse, self._draw)

    async def GetSample(self, request: pb.GetSampleRequest, context: Any) -> pb.GetSampleResponse:
        return pb.GetSampleResponse(sample=await self._scored(await self._visible(store.SAMPLES, request.sample_id)))

    async def ListSamples(self, request: pb.ListSamplesRequest, context: Any) -> pb.ListSamplesResponse:
        size, (before,) = page_size(request), position(request, str) or [""]
        asked = queries.newest(current_caller(), "", before, quarter=request.quarter)
        found = await self._page(store.SAMPLES, asked, [("order", -1)], size)
        return pb.ListSamplesResponse(
            samples=map(sample_message, found[:size]),
            next_page_token=page_token(request, [found[size - 1]["order"]]) if len(found) > size else "",
        )

    async def RepeatDraw(self, request: pb.RepeatDrawRequest, context: Any) -> pb.RepeatDrawResponse:
        sample = await self._visible(store.SAMPLES, request.sample_id)
        rows = await self._db[store.FRAMES].find({"sample": sample["_id"]}).to_list(None)
        drawn, same = samples.again(sample, {row["stratum"]: row["sites"] for row in rows})
        return pb.RepeatDrawResponse(site_ids=drawn, same=same)

    async def _draw(self, request: pb.DrawSampleRequest) -> tuple[pb.DrawSampleResponse, Commit]:
        caller, at = current_caller(), clock.stamp()
        division, quarter = _asked(request, caller.division, at)
        rows = await self._db[store.SITES].aggregate(queries.frame(division), allowDiskUse=True).to_list(None)
        spared = await self._spared(caller, at)
        frame = {row["_id"]: left for row in rows if (left := sorted({*row["sites"]} - spared))}
        with refused():
            if not frame:
                raise Refused("checked_by_higher_level" if rows else "empty_frame")
        id = "S" + tasks.cause_id("sample", caller.subject, request.request_id)
        seed = request.seed or secrets.token_hex(16)
        drawn = sampling.draw(seed, frame, request.size)
        decision = Decision(at)
        order = samples.Order(id, division, quarter, seed, request.size)
        doing = act(caller, at, note=f"{quarter} {seed}")
        sample = samples.take(decision, order, frame, drawn, await self._sites(drawn), doing)
        return pb.DrawSampleResponse(sample=await self._scored(sample)), commit(decision)

    async def _spared(self, caller: Caller, at: datetime) -> set[str]:
        """Sites of the caller's whose records a higher level checked within three months (order 49), as they are called
        today."""
        levels, since = points.higher(points.level_of(caller.division)), points.months_before(at, points.APART_MONTHS)
        asked = queries.checked_higher(levels, since, items=points.TRACE, **queries.scope(caller))
        ids = {row["site"] for row in await self._db[store.TASKS].find(asked, {"site": 1}).to_list(None)}
        sites = await self._sites(ids)
        return {sites[id].site if id in sites else id for id in ids}

    async def _scored(self, sample: Document) -> pb.Sample:
        scores = await self._scores([each["site"] for each in sample["sites"]], sample["quarter"])
        sites = [_sampled(each, scores.get(each["site"], Score())) for each in sample["sites"]]
        return sample_message(sample, sites, marks.total(list(scores.values())))

    async def _scores(self, sites: Sequence[str], quarter: str) -> Mapping[str, Score]:
        """By site, whichever of its ids the events know it by."""
        now_called = await self._aliases(sites) | {site: site for site in sites}
        pipeline = marks.counted(list(now_called), *sampling.bounds(quarter))
        scores: dict[str, Score] = {}
        async for row in self._db[store.MARKS].aggregate(pipeline):
            site = now_called[row.pop("_id")]
            scores[site] = marks.total([scores.get(site, Score()), Score(**row)])
        return scores


def _before(request: pb.ListLedgerRequest, at: list[Any]) -> tuple[datetime, str]:
    try:
        time, id = at
        return datetime.fromisoformat(time), str(id)
    except (TypeError, ValueError):
        raise InvalidArgument([rules.error("page_token", request.page_token, "invalid_value")]) from None


def _asked(request: pb.DrawSampleRequest, own: str | None, at: datetime) -> tuple[str | None, str]:
    """Division as a prefix and quarter. Raises InvalidArgument, or Denied for a place outside the caller's."""
    if not 0 < request.size <= LARGEST:
        raise InvalidArgument([rules.error("size", request.size, "invalid_value")])
    quarter = request.quarter or sampling.quarter_of(at)
    if not sampling.is_quarter(quarter):
        raise InvalidArgument([rules.error("quarter", quarter, "invalid_value")])
    division = scope_prefix(request.division) if request.division else own
    if own and division and not division.startswith(own):
        raise Denied("division", f"{division} lies outside the caller's division", {"division": division})
    return division, quarter


def _sampled(row: Document, score: Score) -> pb.SampledSite:
    return pb.SampledSite(
        site_id=row["site"],
        site_name=row["site_name"] or "",
        division=row["division"] or "",
        link=number(pb.Link, "LINK", row["link"]),
        task_id=row["task"],
        score=score_message(score),
    )
