"""The quarterly random check (每季度抽查): drawn from a seed that is kept, by division and link. Pure.

A site's rank is the hash of seed and id, and each stratum gives its lowest: seed and frame alone make the draw, so
that anybody can repeat it.
"""

import heapq
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from contracts.fields import SHANGHAI

Frame = Mapping[str, Sequence[str]]
"""Site ids by stratum, which is named county and link, such as `370102/catering`."""

_QUARTER: Final = re.compile(r"(20\d\d)Q([1-4])")


def draw(seed: str, frame: Frame, size: int) -> list[str]:
    """So many sites, stratum by stratum; all of them when there are no more."""
    shares = allocate({name: len(sites) for name, sites in frame.items()}, size)
    return [site for name in sorted(frame) for site in _lowest(seed, frame[name], shares[name])]


def _lowest(seed: str, sites: Sequence[str], count: int) -> list[str]:
    return heapq.nsmallest(count, sites, lambda id: sha256(f"{seed}\n{id}".encode()).digest())


def allocate(counts: Mapping[str, int], size: int) -> dict[str, int]:
    """Seats by stratum (Sainte-Laguë): in proportion, and each gets one before any large one gets too many."""
    shares = dict.fromkeys(counts, 0)
    queue = [(-float(count), name) for name, count in counts.items() if count]
    heapq.heapify(queue)
    for _ in range(min(size, sum(counts.values()))):
        _, name = heapq.heappop(queue)
        shares[name] += 1
        if shares[name] < counts[name]:
            heapq.heappush(queue, (-counts[name] / (2 * shares[name] + 1), name))
    return shares


def is_quarter(text: str) -> bool:
    """Whether it names a quarter, such as 2026Q3."""
    return _QUARTER.fullmatch(text) is not None


def quarter_of(at: datetime) -> str:
    """The quarter of a time in Shanghai."""
    local = at.astimezone(SHANGHAI)
    return f"{local.year}Q{(local.month + 2) // 3}"


def bounds(quarter: str) -> tuple[datetime, datetime]:
    """Its first moment and the next one's, aware UTC. Raises ValueError."""
    match = _QUARTER.fullmatch(quarter)
    if match is None:
        raise ValueError(quarter)
    year, first = int(match[1]), 3 * int(match[2]) - 2
    ends = (year, first + 3) if first < 10 else (year + 1, 1)
    since, until = (datetime(*begin, 1, tzinfo=SHANGHAI) for begin in ((year, first), ends))
    return since.astimezone(UTC), until.astimezone(UTC)


def year_of(at: datetime) -> tuple[datetime, datetime]:
    """The first moment of a time's year in Shanghai and the next one's, aware UTC."""
    year = at.astimezone(SHANGHAI).year
    return bounds(f"{year}Q1")[0], bounds(f"{year}Q4")[1]
