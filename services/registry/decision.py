"""From facts that changed to what is written and announced; every command of `domain` ends here."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, TypedDict

from contracts.registry import Alias, OperatorState, SiteFacts
from services.registry.claims import MOST_CLAIMS, kept
from services.registry.difference import aliases, bump, facts, sites_by_id, touched
from services.registry.documents import Claim, Edit, Merge, Operator, Site
from services.registry.standing import NOTHING, World, base, day_of, stand
from services.registry.views import Facts, build

GRAVITY: Final = (
    OperatorState.LISTED,
    OperatorState.REGISTERED,
    OperatorState.ACTIVATED,
    OperatorState.SUSPENDED,
    OperatorState.DEREGISTERED,
    OperatorState.REVOKED,
)
"""Of one operator known under two ids in two given states the graver stands, until a person looks."""


class By(NamedTuple):
    """Who did something, as what (a role of `shilian.access.v1`, or `system`), and why."""

    who: str
    role: str
    why: str


class Change(TypedDict, total=False):
    """A row of the append-only `changes`: what happened to whom, who did it, why. `_id` keeps it from being twice."""

    _id: str
    kind: str
    at: datetime
    who: str
    role: str
    why: str
    operator: str | None
    site: str | None
    cell: str | None
    detail: dict[str, str]


@dataclass(frozen=True)
class Decision:
    """What is to be written and announced. `before` and `after` are the documents touched, by id."""

    before: Mapping[str, Operator]
    after: Mapping[str, Operator]
    changes: list[Change]
    sites: tuple[SiteFacts, ...]
    aliases: tuple[Alias, ...]

    def operator(self, id: str) -> Operator:
        """The operator an id means afterwards."""
        return next(operator for operator in self.after.values() if id in operator["ids"])

    def site(self, id: str) -> tuple[Site, str]:
        """The site an id means afterwards, and its operator's id."""
        return next(
            (site, operator["_id"])
            for operator in self.after.values()
            for site in operator["sites"]
            if id in site["ids"]
        )


@dataclass
class Draft:
    """Documents taken apart into their facts, for a command to add to."""

    before: dict[str, Operator]
    world: World = NOTHING
    claims: dict[tuple[str, ...], Claim] = field(default_factory=dict)
    merges: dict[tuple[str, str], Merge] = field(default_factory=dict)
    edits: dict[tuple[str, ...], Edit] = field(default_factory=dict)
    states: dict[str, OperatorState] = field(default_factory=dict)
    activated: dict[str, datetime] = field(default_factory=dict)
    claimed: Counter[str] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)
    causes: dict[str, By] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._place = {id: operator["_id"] for operator in self.before.values() for id in operator["ids"]}

    @classmethod
    def of(cls, operators: Iterable[Operator], world: World = NOTHING) -> "Draft":
        """A draft of whole components: all documents that share a key with one of them."""
        draft = cls({operator["_id"]: operator for operator in operators}, world)
        for operator in draft.before.values():
            draft.claims |= {slot(claim): claim for claim in operator["claims"]}
            draft.claimed.update(claim["operator"] for claim in operator["claims"])
            draft.merges |= {(merge["keep"], merge["merge"]): merge for merge in operator["merges"]}
            for edit in operator["edits"]:
                draft.edit(edit)
            draft.states |= dict.fromkeys(operator["ids"], base(operator["state"]))
            if activated_at := operator.get("activated_at"):
                draft.activated |= dict.fromkeys(operator["ids"], activated_at)
        return draft

    def edit(self, edit: Edit) -> None:
        """Takes an edit in; of two of the same field the later stands."""
        place = (edit["of"], edit["target"], edit["field"])
        if place not in self.edits or self.edits[place]["at"] <= edit["at"]:
            self.edits[place] = edit

    def tell(self, claim: Claim) -> bool:
        """Adds a claim in place of an earlier one; False when it is one too many for its operator's document."""
        place, operator = slot(claim), claim["operator"]
        if place not in self.claims:
            if self.claimed[operator] >= MOST_CLAIMS:
                return False
            self.claimed[operator] += 1
        self.claims[place] = claim
        return True

    def settle(self, by: By, now: datetime) -> Decision:
        """What the facts amount to now, against what they did before. `by` did what nobody else is named for."""
        after = build(Facts(kept(self.claims.values()), [*self.merges.values()], [*self.edits.values()]))
        for operator in after.values():
            operator["state"] = self._given(operator)
            activated = [self.activated[id] for id in operator["ids"] if id in self.activated]
            operator["activated_at"] = min(activated, default=None)
            _carry_on(operator, self._former(operator), now)
            stand(operator, self.world, day_of(now))
        were, are = sites_by_id(self.before), sites_by_id(after)
        changed, renamed = bump(were, are), tuple(aliases(were, are))
        differing = touched(self.before, after)
        written = {id: operator for id, operator in after.items() if id in differing}
        derived = [*self._state_changes(written, by, now), *self._alias_changes(renamed, by, now)]
        return Decision(
            {id: operator for id, operator in self.before.items() if id in differing},
            written,
            self.changes + derived,
            tuple(facts(site, operator) for site, operator in changed),
            renamed,
        )

    def _given(self, operator: Operator) -> OperatorState:
        """The state people gave. Until they gave one, whoever is seen at work is registered, others are only listed."""
        at_work = any("listing" not in claim for claim in operator["claims"])
        seen = OperatorState.REGISTERED if at_work else OperatorState.LISTED
        states = [self.states[id] for id in operator["ids"] if id in self.states]
        given = [state for state in states if state not in GRAVITY[:2]]
        return max(given, key=GRAVITY.index, default=seen)

    def _state_changes(self, after: Mapping[str, Operator], by: By, now: datetime) -> Iterator[Change]:
        for operator in after.values():
            known = {former["_id"]: former["state"] for former in self._former(operator)}
            for former, start in (known or {"": ""}).items():
                if start != operator["state"]:
                    detail = {"from": start, "to": operator["state"], "known_as": former}
                    place = f"state:{operator['_id']}:{operator['version']}:{former}"
                    cause = self._cause(operator["ids"], by)
                    yield change(place, "state", cause, now, operator=operator["_id"], detail=detail)

    def _alias_changes(self, aliases: Iterable[Alias], by: By, now: datetime) -> Iterator[Change]:
        for alias in aliases:
            cause = self._cause([alias.alias, alias.site], by)
            place = f"alias:{alias.alias}:{alias.version}"
            yield change(place, "alias", cause, now, site=alias.site, detail={"alias": alias.alias})

    def _former(self, operator: Operator) -> list[Operator]:
        """The documents that had the operator's ids before."""
        places = {self._place[id] for id in operator["ids"] if id in self._place}
        return [self.before[place] for place in sorted(places)]

    def _cause(self, ids: Iterable[str], by: By) -> By:
        return next((self.causes[id] for id in ids if id in self.causes), by)


def change(
    id: str,
    kind: str,
    by: By,
    at: datetime,
    operator: str | None = None,
    site: str | None = None,
    cell: str | None = None,
    detail: Mapping[str, str] | None = None,
) -> Change:
    """A row of `changes`."""
    return {
        "_id": id,
        "kind": kind,
        "at": at,
        "who": by.who,
        "role": by.role,
        "why": by.why,
        "operator": operator,
        "site": site,
        "cell": cell,
        "detail": dict(detail or {}),
    }


def slot(claim: Claim) -> tuple[str, ...]:
    """What a later claim of the same source about the same thing replaces."""
    return claim["source"], claim["source_id"], claim["site"], claim["operator"]


def _carry_on(operator: Operator, former: list[Operator], now: datetime) -> None:
    operator["version"] = max((each["version"] for each in former), default=0) + 1
    operator["created_at"] = min((each["created_at"] for each in former), default=now)
    operator["updated_at"] = now
