"""Who sees what of a recall (domain: "Privacy"). Pure.

A regulator sees every node of what touches its division, and quantities within it. An operator sees its own nodes and
those one hop from them; of the rest it is told how many there are, not whose.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from fractions import Fraction

from chassis.caller import Caller
from services.trace.lineage import split
from services.trace.privacy import OPERATOR, owns
from services.trace.recalls.coverage import Coverage
from services.trace.recalls.portions import Portion
from services.trace.recalls.simulation import Simulation


@dataclass(frozen=True)
class View:
    """A simulation as a caller may see it.

    `counts` are sites and `portions` portions by fate, of all that there are, named or not; so are `share`, `complete`
    and `sites`.
    """

    simulation: Simulation
    counts: dict[str, int]
    portions: dict[str, int]
    share: Fraction | None
    complete: bool
    sites: int
    hidden_sites: int
    hidden_operators: int


def view(simulation: Simulation, caller: Caller) -> View | None:
    """The caller's view; None when it touches nothing of the caller's."""
    own = {key for key, held in simulation.nodes.items() if owns(caller, held.place)}
    if not own:
        return None
    known = _within_one_hop(simulation, own) if caller.role == OPERATOR else {*simulation.nodes}
    seen = replace(
        simulation,
        nodes={key: simulation.nodes[key] for key in simulation.nodes if key in known},
        portions=[_portion(each, own) for each in simulation.portions if each.node in known],
        handovers=[
            each if each.tail in own or each.head in own else each._replace(amount=None)
            for each in simulation.handovers
            if each.tail in known and each.head in known
        ],
        coverages=_coverages(simulation, own, known),
        gaps=[gap for gap in simulation.gaps if gap.node in (own if caller.role == OPERATOR else known)],
    )
    return _counted(simulation, seen)


def made_by(simulation: Simulation, caller: Caller) -> bool:
    """Whether goods of every recalled batch began at a site of the caller's."""
    began = {each.batch: each.began for each in simulation.coverages}
    return all(
        any(owns(caller, simulation.nodes[key].place) for key in began.get(batch, ())) for batch in simulation.batches
    )


def _within_one_hop(simulation: Simulation, own: set[str]) -> set[str]:
    """An operator's nodes, and whom they got goods from or handed them to."""
    near = {each.head for each in simulation.handovers if each.tail in own}
    return own | near | {each.tail for each in simulation.handovers if each.head in own}


def _portion(portion: Portion, own: set[str]) -> Portion:
    """A portion without what it is to others: how much, and what they make of it."""
    return portion if portion.node in own else portion._replace(amount=None, into=(), why=None)


def _coverages(simulation: Simulation, own: set[str], known: set[str]) -> list[Coverage]:
    """How much of a batch is located stays, its quantities only where all of it is the caller's to see."""
    beyond = {split(key)[0] for key in simulation.nodes.keys() - own}
    named = {split(key)[0] for key in known}
    shown = [_known(each, own, known) for each in simulation.coverages if each.batch in named]
    return [each.without_quantities() if each.batch in beyond else each for each in shown]


def _known(coverage: Coverage, own: set[str], known: set[str]) -> Coverage:
    """What stands against knowing more is told of the caller's own nodes, as with portions."""
    unsure = tuple(each for each in coverage.unsure if each[0] in own)
    return coverage._replace(unsure=unsure, began=tuple(key for key in coverage.began if key in known))


def _counted(whole: Simulation, seen: Simulation) -> View:
    sites: dict[str, set[str]] = defaultdict(set)
    portions: dict[str, int] = defaultdict(int)
    for portion in whole.portions:
        sites[portion.fate].add(split(portion.node)[1])
        portions[portion.fate] += 1
    all_sites, seen_sites = _where(whole), _where(seen)
    hidden = {operator for site, operator in all_sites.items() if site not in seen_sites} - {*seen_sites.values()}
    return View(
        seen,
        {fate: len(there) for fate, there in sites.items()},
        dict(portions),
        whole.share,
        not whole.gaps,
        len(all_sites),
        len(all_sites) - len(seen_sites),
        len(hidden - {None}),
    )


def _where(simulation: Simulation) -> dict[str, str | None]:
    """Operators by site."""
    return {held.place.site: held.place.operator for held in simulation.nodes.values()}
