"""What trace tells of a recall's end: everybody who listens, and the sources whose sites it touched. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chassis.outgoing import Outgoing, outgoing
from contracts import egress
from contracts.envelope import Envelope
from contracts.recalls import SITES_TOLD, EndedRecall, RecallsClosedV1
from services.trace.recalls.told import SOURCE, Sources, facts


def end_told(recall: Mapping[str, Any], sources: Sources, parent: Envelope | None) -> list[Outgoing]:
    """The end of a closed recall, after every word that was said of it before."""
    return [*_to_all(recall, parent), *_to_sources(recall, sources, parent)]


def _to_all(recall: Mapping[str, Any], parent: Envelope | None) -> Iterator[Outgoing]:
    told = facts(recall) | {"version": recall["version"] + 1}
    for part in _parts(sorted(recall["sites"])):
        end = EndedRecall(**told, closed_at=recall["closed_at"], closed_reason=recall["closed_reason"], sites=part)
        yield outgoing("trace.recalls_closed.v1", RecallsClosedV1(recalls=(end,)), source=SOURCE, parent=parent)


def _to_sources(recall: Mapping[str, Any], sources: Sources, parent: Envelope | None) -> Iterator[Outgoing]:
    sites: dict[str, list[str]] = defaultdict(list)
    for site in sorted(recall["sites"]):
        for source in sources.get(site, ()):
            sites[source].append(site)
    for source, own in sorted(sites.items()):
        for part in _parts(own):
            body = egress.RecallsClosedV1(
                source=source,
                recall=recall["_id"],
                version=recall["version"] + 1,
                batches=tuple(recall["batches"]),
                issuer=recall["issuer"],
                closed_at=recall["closed_at"],
                closed_reason=recall["closed_reason"],
                sites=part,
            )
            yield outgoing("egress.recalls_closed.v1", body, source=SOURCE, parent=parent, key=source)


def _parts(sites: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(sites[first : first + SITES_TOLD]) for first in range(0, len(sites), SITES_TOLD))
