"""Which ids mean one site and which one operator: a pure function of what the sources claim and people decide.

An id that names a site weakly (a source's own number, a bare USCC) joins the strongest id it was told with, as long
as that leaves no choice; where two would do, it stands alone until a person decides. Nothing but a person unites two
licences. Since all of it is computed anew from the set of claims, neither order nor repetition matters (ADR 0008).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from services.registry.claims import age
from services.registry.documents import Claim, Merge

Rank = Callable[[str], int]

_OPERATOR_RANKS: Final = {"uscc": 0, "person": 1, "licence": 2}
_OWN: Final = 3


def site_rank(site: str) -> int:
    """0 licence, 1 USCC with the operator's number of the site, 2 USCC alone, 3 a source's own id or a person."""
    kind, _, code = site.partition(":")
    if kind == "licence":
        return 0
    if kind == "uscc":
        return 1 if ":" in code else 2
    return _OWN


def operator_rank(operator: str) -> int:
    """0 USCC, 1 ID number, 2 licence, 3 a source's own id."""
    return _OPERATOR_RANKS.get(operator.partition(":")[0], _OWN)


class Groups:
    """Ids that are one thing. `find` gives the id that stands for all of its group."""

    def __init__(self, rank: Rank) -> None:
        self._rank = rank
        self._parent: dict[str, str] = {}
        self._strongest: dict[str, int] = {}

    def find(self, id: str) -> str:
        """The group's id today."""
        while id in self._parent:
            id = self._parent[id]
        return id

    def join(self, part: str, whole: str) -> None:
        """Makes both one group that the whole's id stands for."""
        part, whole = self.find(part), self.find(whole)
        if part != whole:
            strongest = min(self._strength(part), self._strength(whole))
            self._parent[part] = whole
            self._strongest[whole] = strongest

    def join_where_sure(self, targets: Mapping[str, set[str]]) -> None:
        """Joins each weaker id to its stronger one, strong ids first; not where there are two to choose from."""
        for weak in sorted(targets, key=lambda id: (self._rank(id), id)):
            strong = targets[weak]
            sure = len({self.find(id) for id in strong}) == 1
            if sure and self._strength(self.find(weak)) > min(map(self._rank, strong)):
                self.join(weak, min(strong))

    def _strength(self, root: str) -> int:
        return self._strongest.get(root, self._rank(root))


def resolve_sites(claims: Iterable[Claim], merges: Iterable[Merge]) -> Groups:
    """Groups of site ids: people's merges first, then what the claims leave no doubt of."""
    claims = list(claims)
    groups = Groups(site_rank)
    for merge in sorted(merges, key=lambda merge: (merge["at"], merge["keep"], merge["merge"])):
        groups.join(merge["merge"], merge["keep"])
    groups.join_where_sure(_stronger_sites(claims))
    return groups


def _stronger_sites(claims: list[Claim]) -> dict[str, set[str]]:
    """By weaker id, the stronger ids it was told with.

    A source's own id means what the source says today. A weaker name that the source used for the same operator's
    site goes with it. An operator's bare code is its only better-known site.
    """
    today = _today(claims)
    stronger: dict[str, set[str]] = defaultdict(set)
    for claim in claims:
        pairs = [(claim["operator"], claim["site"])]
        if claim["key"]:
            now = today[claim["key"]]
            pairs.append((claim["key"], now["site"]))
            if may_be_one(claim["operator"], now["operator"]):
                pairs.append((claim["site"], now["site"]))
        for weak, strong in pairs:
            if site_rank(strong) < site_rank(weak):
                stronger[weak].add(strong)
    return stronger


def _today(claims: list[Claim]) -> dict[str, Claim]:
    """By a source's own id, the strongest thing the source said of it, and of those the latest."""
    found: dict[str, Claim] = {}
    for claim in sorted(
        claims, key=lambda claim: (-site_rank(claim["site"]), *age(claim), claim["site"], claim["operator"])
    ):
        if claim["key"]:
            found[claim["key"]] = claim
    return found


def may_be_one(one: str, other: str) -> bool:
    """Two codes of one kind are two operators; an id beside a code may be the same one, known better."""
    return one == other or operator_rank(one) != operator_rank(other)


def resolve_operators(claims: Iterable[Claim], sites: Groups) -> Groups:
    """Groups of operator ids: one site has one operator, so its weaker names are names of its strongest."""
    claims = list(claims)
    best = answerable(claims, sites)
    stronger: dict[str, set[str]] = defaultdict(set)
    for claim in claims:
        strong = best[sites.find(claim["site"])]
        if operator_rank(strong) < operator_rank(claim["operator"]):
            stronger[claim["operator"]].add(strong)
    groups = Groups(operator_rank)
    groups.join_where_sure(stronger)
    return groups


def answerable(claims: Iterable[Claim], sites: Groups) -> dict[str, str]:
    """By site, the operator who answers for it: the best identified, told under the site's own id, told last."""

    def weight(claim: Claim) -> tuple[object, ...]:
        own = claim["site"] == sites.find(claim["site"])
        return -operator_rank(claim["operator"]), own, *age(claim), claim["operator"]

    return {sites.find(claim["site"]): claim["operator"] for claim in sorted(claims, key=weight)}
