"""From facts that changed to what is written and announced; every command of `domain` ends here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, TypedDict

from contracts.registry import Alias, OperatorState, SiteFacts, UnitKind
from contracts.trace import Link
from services.registry.claims import Claim
from services.registry.identities import Merge
from services.registry.views import Edit, Facts, Operator, Site, build

GRAVITY: Final = (
    OperatorState.LISTED,
    OperatorState.REGISTERED,
    OperatorState.ACTIVATED,
    OperatorState.SUSPENDED,
    OperatorState.DEREGISTERED,
    OperatorState.REVOKED,
)
"""Of one operator known under two ids in two states the graver stands, until a person looks."""


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
    claims: dict[tuple[str, ...], Claim] = field(default_factory=dict)
    merges: dict[tuple[str, str], Merge] = field(default_factory=dict)
    edits: dict[tuple[str, ...], Edit] = field(default_factory=dict)
    states: dict[str, OperatorState] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    causes: dict[str, By] = field(default_factory=dict)

    @classmethod
    def of(cls, operators: Iterable[Operator]) -> "Draft":
        """A draft of whole components: all documents that share a key with one of them."""
        draft = cls({operator["_id"]: operator for operator in operators})
        for operator in draft.before.values():
            draft.claims |= {slot(claim): claim for claim in operator["claims"]}
            draft.merges |= {(merge["keep"], merge["merge"]): merge for merge in operator["merges"]}
            for edit in operator["edits"]:
                draft.edit(edit)
            draft.states |= dict.fromkeys(operator["ids"], OperatorState(operator["state"]))
        return draft

    def edit(self, edit: Edit) -> None:
        """Takes an edit in; of two of the same field the later stands."""
        place = (edit["of"], edit["target"], edit["field"])
        if place not in self.edits or self.edits[place]["at"] <= edit["at"]:
            self.edits[place] = edit

    def settle(self, by: By, now: datetime) -> Decision:
        """What the facts amount to now, against what they did before. `by` did what nobody else is named for."""
        after = build(Facts([*self.claims.values()], [*self.merges.values()], [*self.edits.values()]))
        for operator in after.values():
            states = [self.states[id] for id in operator["ids"] if id in self.states]
            operator["state"] = max(states, key=GRAVITY.index, default=OperatorState.LISTED)
            _carry_on(operator, self.before, now)
        touched = _touched(self.before, after)
        kept = {id: operator for id, operator in after.items() if id in touched}
        changed = _bump(_sites(self.before), _sites(after))
        aliases = tuple(_aliases(_sites(self.before), _sites(after)))
        derived = [*self._state_changes(kept, by, now), *self._alias_changes(aliases, by, now)]
        return Decision(
            {id: operator for id, operator in self.before.items() if id in touched},
            kept,
            self.changes + derived,
            tuple(facts(site, operator) for site, operator in changed),
            aliases,
        )

    def _state_changes(self, after: Mapping[str, Operator], by: By, now: datetime) -> Iterator[Change]:
        for operator in after.values():
            known = {former["_id"]: former["state"] for former in _former(operator, self.before)}
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

    def _cause(self, ids: Iterable[str], by: By) -> By:
        return next((self.causes[id] for id in ids if id in self.causes), by)


def change(
    id: str,
    kind: str,
    by: By,
    at: datetime,
    operator: str | None = None,
    site: str | None = None,
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
        "detail": dict(detail or {}),
    }


def slot(claim: Claim) -> tuple[str, ...]:
    """What a later claim of the same source about the same thing replaces."""
    return claim["source"], claim["source_id"], claim["site"], claim["operator"]


def facts(site: Site, operator: Operator) -> SiteFacts:
    """What other services are told of a site."""
    return SiteFacts(
        site=site["site"],
        operator=operator["_id"],
        name=site["name"],
        operator_name=operator["name"],
        state=OperatorState(operator["state"]),
        division=site["division"],
        link=Link(site["link"]) if site["link"] else None,
        unit_kind=UnitKind(site["unit_kind"]) if site["unit_kind"] else None,
        licence=site["licence"],
        sources=tuple(sorted({each["source"] for each in site["source_ids"]})),
        version=site["version"],
    )


Placed = tuple[Site, Operator]


def _carry_on(operator: Operator, before: Mapping[str, Operator], now: datetime) -> None:
    former = _former(operator, before)
    operator["version"] = max((each["version"] for each in former), default=0) + 1
    operator["created_at"] = min((each["created_at"] for each in former), default=now)
    operator["updated_at"] = now


def _former(operator: Operator, before: Mapping[str, Operator]) -> list[Operator]:
    return [former for former in before.values() if not set(former["ids"]).isdisjoint(operator["ids"])]


def _touched(before: Mapping[str, Operator], after: Mapping[str, Operator]) -> set[str]:
    """Ids of documents that differ, and of those that share a key with one.

    The neighbours are written too, so that their versions collide with whoever decided on an older sight of them.
    """
    ids = {*before, *after}
    differing = {id for id in ids if _content(before.get(id)) != _content(after.get(id))}
    keys = {key for id in differing for side in (before, after) if id in side for key in side[id]["keys"]}
    return differing | {id for id in ids if not keys.isdisjoint((after.get(id) or before[id])["keys"])}


def _content(operator: Operator | None) -> object:
    if operator is None:
        return None
    sites = [{**site, "version": 0} for site in operator["sites"]]
    passing = ("version", "created_at", "updated_at")
    return {**{name: value for name, value in operator.items() if name not in passing}, "sites": sites}


def _sites(operators: Mapping[str, Operator]) -> dict[str, Placed]:
    """By every id, the site it means and the operator who has it."""
    return {id: (site, operator) for operator in operators.values() for site in operator["sites"] for id in site["ids"]}


def _bump(before: Mapping[str, Placed], after: Mapping[str, Placed]) -> list[Placed]:
    """Gives sites their versions, above all that any of their ids was announced with; returns those that changed."""
    changed = []
    for id, (site, operator) in after.items():
        if id != site["site"]:
            continue
        former = [before[name] for name in site["ids"] if name in before]
        site["version"] = max((each["version"] for each, _ in former), default=0)
        if not any(_shown(*each) == _shown(site, operator) for each in former):
            site["version"] += 1
            changed.append((site, operator))
    return changed


def _shown(site: Site, operator: Operator) -> tuple[object, ...]:
    return {**site, "version": 0}, operator["_id"], operator["name"], operator["state"]


def _aliases(before: Mapping[str, Placed], after: Mapping[str, Placed]) -> Iterator[Alias]:
    """Ids that mean another site than before; one that now stands alone again is its own alias."""
    for id in sorted({*before, *after}):
        was = before[id][0]["site"] if id in before else id
        now, version = _meaning(id, before, after)
        if was != now:
            yield Alias(alias=id, site=now, version=version)


def _meaning(id: str, before: Mapping[str, Placed], after: Mapping[str, Placed]) -> tuple[str, int]:
    if id in after:
        return after[id][0]["site"], after[id][0]["version"]
    return id, before[id][0]["version"] + 1
