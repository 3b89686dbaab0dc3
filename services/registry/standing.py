"""How sites stand today: what the day, their events, the phases and the grid make of what was told of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from contracts.fields import SHANGHAI
from contracts.registry import OperatorState
from services.registry.documents import CellRow, Listing, Mark, Operator, Phase, Site, Standing

INACTIVE_AFTER: Final = 30
"""Days without an accepted event after which a site is inactive (domain: "activity")."""

LIVELY: Final = (OperatorState.ACTIVATED, OperatorState.INACTIVE, OperatorState.ON_CHAIN, OperatorState.ACTIVE)
"""What events make of an activated site; an operator is as lively as its liveliest site."""

ENDED: Final = (OperatorState.REVOKED, OperatorState.DEREGISTERED)
_OVERRULING: Final = (OperatorState.SUSPENDED, *ENDED)


class World(NamedTuple):
    """What stands outside of the operators: marks by the id events name, phases, and the cells that matter here."""

    marks: Mapping[str, Mark] = {}
    phases: Sequence[Phase] = ()
    cells: Sequence[CellRow] = ()


NOTHING: Final = World()
UNKNOWN: Final[Standing] = {
    "state": OperatorState.LISTED,
    "listed": False,
    "activated_at": None,
    "obligations": [],
    "cell": None,
    "station": None,
    "gaps": [],
}
"""Before anybody looked."""


def day_of(time: datetime) -> str:
    """The day in Shanghai, YYYY-MM-DD: it is compared and kept as text."""
    return time.astimezone(SHANGHAI).date().isoformat()


def after(day: str, days: int) -> str:
    """So many days later."""
    return (date.fromisoformat(day) + timedelta(days)).isoformat()


def base(state: str) -> OperatorState:
    """The state that people gave: activated is what all that events make of it goes back to."""
    known = OperatorState(state)
    return OperatorState.ACTIVATED if known in LIVELY else known


def stand(operator: Operator, world: World, day: str) -> None:
    """Fills in how the operator and its sites stand; its `state` is what people gave it."""
    given = base(operator["state"])
    since = operator.get("activated_at")
    operator["sites"] = [{**site, **_standing(site, given, since, world, day)} for site in operator["sites"]]
    lives = [OperatorState(site["state"]) for site in operator["sites"]]
    if given is OperatorState.ACTIVATED:
        operator["state"] = max((life for life in lives if life in LIVELY), key=LIVELY.index, default=given)
    operator["gaps"] = sorted({gap for site in operator["sites"] for gap in site["gaps"]})
    operator["due"] = min(_turns(operator["sites"], world.phases, day), default=None)


def _standing(site: Site, given: OperatorState, activated_at: datetime | None, world: World, day: str) -> Standing:
    cell = place(site, world.cells)
    ended = given in ENDED
    return {
        "state": life(given, site["registered"], mark_of(site["ids"], world.marks), day),
        "listed": any(_within(day, entry["since"], entry["until"]) for entry in site["listings"]),
        "activated_at": activated_at if site["registered"] else None,
        "obligations": [] if ended else obligations(site, world.phases, day),
        "cell": cell["_id"] if cell else None,
        "station": cell["station"] if cell else None,
        "gaps": [] if ended else [*_gaps(site, cell, world.cells)],
    }


def mark_of(ids: Iterable[str], marks: Mapping[str, Mark]) -> tuple[str, str] | None:
    """First and last day with an event, under whatever id it was told."""
    found = [marks[id] for id in ids if id in marks]
    return (min(mark["first"] for mark in found), max(mark["last"] for mark in found)) if found else None


def life(given: OperatorState, registered: bool, mark: tuple[str, str] | None, day: str) -> OperatorState:
    """A site's life. What people gave its operator counts; once it is activated, its events do.

    The same as walking `domain.TRANSITIONS` with its events in order, whatever the order they came in.
    """
    if given in _OVERRULING:
        return given
    if not registered:
        return OperatorState.LISTED
    if given is not OperatorState.ACTIVATED or mark is None:
        return given
    first, last = mark
    if after(last, INACTIVE_AFTER) < day:
        return OperatorState.INACTIVE
    return OperatorState.ACTIVE if last > first else OperatorState.ON_CHAIN


def obligations(site: Site, phases: Iterable[Phase], day: str) -> list[str]:
    """Categories a site must trace on a day: those it deals in, of a unit of the three kinds all (S4)."""
    owed: set[str] = set()
    for phase in phases:
        if _within(day, phase["starts"], phase["ends"]) and _lies_in(site, phase["areas"]):
            whole = site["unit_kind"] in phase["unit_kinds"]
            owed |= set(phase["categories"]) if whole else {*phase["categories"]} & {*site["categories"]}
    return sorted(owed)


def place(site: Site, cells: Sequence[CellRow]) -> CellRow | None:
    """The one cell a site sits in: where a person put it, else by its division.

    That is the narrowest cell around it that is alone there, or above all others there; where two share a division
    side by side only a person can tell, and the site stays in the wider cell.
    """
    around: dict[str, dict[str, CellRow]] = {}
    for cell in cells:
        if cell["_id"] == site["placed"]:
            return cell
        if cell["area"] in site["areas"]:
            around.setdefault(cell["area"], {})[cell["_id"]] = cell
    tops = [[cell for cell in found.values() if cell["parent"] not in found] for found in around.values()]
    sure = [found[0] for found in tops if len(found) == 1]
    return max(sure, key=lambda cell: len(cell["area"]), default=None)


def _gaps(site: Site, cell: CellRow | None, cells: Iterable[CellRow]) -> Iterable[str]:
    if cell is None:
        yield "cell"
    elif cell["officer"] is None:
        yield "officer"
    officers = {other["officer"]["officer"] for other in cells if other["officer"]}
    if site["helper"] not in officers:
        yield "contact"


def _turns(sites: Iterable[Site], phases: Iterable[Phase], day: str) -> Iterable[str]:
    """Days to come on which time alone changes how a site stands; events lapse by their marks."""
    spans = [(phase["starts"], phase["ends"]) for phase in phases]
    spans += [(entry["since"] or "", entry["until"]) for site in sites for entry in site["listings"]]
    turns = {turn for since, until in spans for turn in (since, until and after(until, 1))}
    return (turn for turn in turns if turn and turn > day)


def _within(day: str, since: str | None, until: str | None) -> bool:
    return (since or "") <= day and (until is None or day <= until)


def _lies_in(site: Site, areas: Sequence[str]) -> bool:
    return not areas or not {*areas}.isdisjoint(site["areas"])


def listing_until(entry: Listing, last: str) -> Listing:
    """The entry, ended by that day at the latest."""
    return {**entry, "until": min(entry["until"] or last, last)}
