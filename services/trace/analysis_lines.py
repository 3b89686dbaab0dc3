"""The lines that a batch went over, what else did, and where that went: reads for `contamination`'s rules."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from shilian.trace.v1 import analysis_pb2 as pb

from chassis.caller import Caller
from services.trace import analysis_answers as answers
from services.trace import analysis_queries as queries
from services.trace import privacy, store
from services.trace.analysis_requests import begin_of_day
from services.trace.api_reading import ApiReader
from services.trace.chain import Chain
from services.trace.contamination import Judged, Use, judge, touched
from services.trace.lineage import Place, node_key, split
from services.trace.told import Stored
from services.trace.walk import Walk

NO_LINE: Final = "no_line"
BEYOND_SCOPE: Final = "beyond_scope"
TOO_MANY: Final = "too_many"


@dataclass
class Lines:
    """What is found out of the lines of a walked batch, site by site."""

    reader: ApiReader
    walk: Walk
    caller: Caller
    uses: list[pb.LineUse] = field(default_factory=list)
    unjudged: list[pb.NotJudged] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)

    async def look(self) -> None:
        """Judges every site the batch was at. The other use of a line is for those only whose site it is."""
        chain = self.walk.chain
        await self.reader.walked(self.walk.tell(chain.ids_around(chain.starts)))
        for site in sorted({split(key)[1] for key in chain.starts}):
            await self._look_at(site)

    async def _look_at(self, site: str) -> None:
        start, ids = self.walk.start, self.walk.sites.ids(site)
        found = await self.reader.find(store.EVENTS, queries.uses_of(start.batch, ids, start.since, start.until))
        uses = list(map(queries.use, found))
        if not privacy.owns(self.caller, self._place(site)):
            self._leave(uses, site, BEYOND_SCOPE)
            return
        rows = {row["_id"]: row for row in (*found, *await self._others(uses, ids, site))}
        judged = judge(start.batch, map(queries.use, rows.values()))
        self._leave(judged.unjudged, site, NO_LINE)
        self.uses += [answers.line_use(stretch, self._place(site), rows) for stretch in judged.stretches]
        await self._follow(judged, site)

    async def _others(self, uses: Iterable[Use], ids: list[str], site: str) -> list[Stored]:
        """What happened on the site's lines from the batch's first use of one on."""
        begins = min((use.begins for use in uses if use.line is not None), default=None)
        if begins is None:
            return []
        where = queries.on_lines(ids, begins, self.walk.start.until)
        rows = await self.reader.first(store.EVENTS, where, queries.OLDEST_FIRST, queries.MOST_USES + 1)
        if len(rows) > queries.MOST_USES:
            self.unjudged.append(pb.NotJudged(site_id=site, reason=TOO_MANY))
        return rows[: queries.MOST_USES]

    async def _follow(self, judged: Judged, site: str) -> None:
        """Walks forward from what may be contaminated, since it may be."""
        others = [other for stretch in judged.stretches for other in stretch.others]
        batches = sorted({batch for other in others for batch in touched(other)})
        if not batches:
            return
        since = begin_of_day(min(other.begins for other in others))
        start = replace(self.walk.start, batch=batches[0], others=tuple(batches[1:]), site=site, since=since)
        self.chains.append(await self.reader.walked(Walk(start).whole()))

    def _leave(self, uses: Iterable[Use], site: str, reason: str) -> None:
        self.unjudged += [answers.not_judged(use, site, reason) for use in uses]

    def _place(self, site: str) -> Place:
        return self.walk.chain.place(node_key(self.walk.start.batch, site))
