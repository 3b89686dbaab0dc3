"""The lines that a batch went over, what else did, and where that went: reads for `contamination`'s rules."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from shilian.trace.v1 import analysis_pb2 as pb

from chassis.caller import Caller
from services.trace import privacy, store
from services.trace.analyses import answers, queries
from services.trace.analyses.contamination import Judged, Use, clean_at_last, judge, touched
from services.trace.analyses.requests import begin_of_day
from services.trace.api_reading import ApiReader
from services.trace.lineage import Place, split
from services.trace.told import Stored
from services.trace.walks.chain import Chain, is_unnamed
from services.trace.walks.walk import Walk

NO_LINE: Final = "no_line"
BEYOND_SCOPE: Final = "beyond_scope"
TOO_MANY: Final = "too_many"


@dataclass
class Lines:
    """What is found out of the lines of a walked batch, and of what was made of it if `products`, site by site."""

    reader: ApiReader
    walk: Walk
    caller: Caller
    products: bool = False
    uses: list[pb.LineUse] = field(default_factory=list)
    unjudged: list[pb.NotJudged] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)

    async def look(self) -> None:
        """Judges every site the goods were at. The other use of a line is for those only whose site it is."""
        chain, sites = self.walk.chain, self.walk.sites
        nodes = [key for key in (chain.nodes if self.products else chain.starts) if not is_unnamed(key)]
        await self.reader.walked(self.walk.tell(chain.ids_around(nodes)))
        batches: dict[str, set[str]] = defaultdict(set)
        for batch, site in map(split, nodes):
            batches[site].add(batch)
        ids = [id for site in batches for id in sites.ids(site)]
        where = queries.uses_of(set[str]().union(*batches.values()), ids, self.walk.start.bounds)
        found: dict[str, list[Stored]] = defaultdict(list)
        for row in await self.reader.find(store.EVENTS, where):
            found[sites.now(row["site"])].append(row)
        for site in sorted(found):
            await self._look_at(site, batches[site], found[site])

    async def _look_at(self, site: str, batches: set[str], found: list[Stored]) -> None:
        """`found` are the steps there that name goods of the chain, which may be elsewhere only."""
        uses = [use for use in map(queries.use, found) if batches & {*use.inputs, *use.outputs}]
        place = self._place(site)
        if not privacy.owns(self.caller, place):
            self._leave_to_others(uses, batches, site)
            return
        rows = {row["_id"]: row for row in (*found, *await self._others(uses, site))}
        judged = judge(batches, map(queries.use, rows.values()))
        self._leave(judged.unjudged, site, NO_LINE)
        self.uses += [answers.line_use(stretch, place, rows) for stretch in judged.stretches]
        await self._follow(judged, site)

    async def _others(self, uses: Iterable[Use], site: str) -> list[Stored]:
        """What happened on the site's lines from the first use of one on, until all of them were clean."""
        begins = min((use.begins for use in uses if use.line is not None), default=None)
        if begins is None:
            return []
        ids, until = self.walk.sites.ids(site), self.walk.start.until
        cleaned = await self.reader.first(
            store.EVENTS, queries.cleanings(ids, begins, until), queries.OLDEST_FIRST, queries.MOST_USES
        )
        until = clean_at_last(uses, map(queries.use, cleaned)) or until
        where = queries.on_lines(ids, begins, until)
        rows = await self.reader.first(store.EVENTS, where, queries.OLDEST_FIRST, queries.MOST_USES + 1)
        if len(rows) > queries.MOST_USES:
            self.unjudged.append(pb.NotJudged(site_id=site, site_name=self._place(site).name or "", reason=TOO_MANY))
        return [*rows[: queries.MOST_USES], *cleaned]

    async def _follow(self, judged: Judged, site: str) -> None:
        """Walks forward from what may be contaminated, since it may be."""
        others = [other for stretch in judged.stretches for other in stretch.others]
        batches = sorted({batch for other in others for batch in touched(other)})
        if not batches:
            return
        since = begin_of_day(min(other.begins for other in others))
        start = replace(self.walk.start, batch=batches[0], others=tuple(batches[1:]), site=site, since=since)
        self.chains.append(await self.reader.walked(Walk(start).whole()))

    def _place(self, site: str) -> Place:
        return self.walk.sites.place(site)

    def _leave(self, uses: Iterable[Use], site: str, reason: str) -> None:
        self.unjudged += [answers.not_judged(use, self._place(site), reason) for use in uses]

    def _leave_to_others(self, uses: Iterable[Use], batches: set[str], site: str) -> None:
        """Steps beyond the division, with the chain's own batches; of others' steps an operator hears nothing."""
        if self.caller.role != privacy.OPERATOR:
            self._leave((_only(use, batches) for use in uses), site, BEYOND_SCOPE)


def _only(use: Use, batches: set[str]) -> Use:
    inputs, outputs = (tuple(batch for batch in side if batch in batches) for side in (use.inputs, use.outputs))
    return use._replace(inputs=inputs, outputs=outputs)
