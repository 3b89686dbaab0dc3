"""Pairs of sites that may be one: the same name at the same address, or two meanings of a source's own id."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from services.registry.documents import Site
from services.registry.identities import site_rank

Owned = tuple[Site, str]
"""A site and its operator's id."""


class Pair(NamedTuple):
    """The `number`th pair of a candidate, from 1; `left` is the better identified site."""

    candidate: str
    number: int
    left: Owned
    right: Owned


def pairs(rows: Iterable[Mapping[str, Any]], seen: Mapping[str, Owned]) -> Iterator[Pair]:
    """Of each candidate's sites that are seen, the best identified one with each of the others."""
    for row in rows:
        sites = sorted((id for id in row["sites"] if id in seen), key=lambda id: (site_rank(id), id))
        for number, other in enumerate(sites[1:], 1):
            yield Pair(row["_id"], number, seen[sites[0]], seen[other])
