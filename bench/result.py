"""What a benchmark found: sides measured in turns, medians, ratios that are better when higher."""

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from rich import box
from rich.table import Table

log = logging.getLogger(__name__)

Trial = Callable[[], float]
"""Measures one side once: work done per second."""


class Side(NamedTuple):
    """What ours is held against, and the ratio to reach."""

    name: str
    trial: Trial
    target: float


@dataclass(frozen=True)
class Result:
    """One line of `.local/bench.json`: medians in `unit`; a ratio is ours through theirs."""

    name: str
    unit: str
    ours: float
    limit: float
    limit_name: str
    ratio: float
    target: float
    peer: float | None = None
    peer_name: str | None = None
    peer_ratio: float | None = None
    peer_target: float | None = None

    @property
    def reached(self) -> bool:
        """Whether every ratio reaches its target; against a target of 1 a draw is no win."""
        pairs = ((self.ratio, self.target), (self.peer_ratio, self.peer_target))
        return all(ratio > target if target == 1 else ratio >= target for ratio, target in pairs if ratio and target)


def measured(name: str, unit: str, rounds: int, *, ours: Trial, limit: Side, peer: Side | None = None) -> Result:
    """Measures all sides in each round, since the machine drifts, and takes each side's median."""
    sides = [ours, limit.trial, *([peer.trial] if peer else [])]
    figures: list[list[float]] = [[] for _ in sides]
    for number in range(rounds):
        # Every other round runs backwards, so that no side always follows the same one.
        turns = list(zip(sides, figures, strict=True))
        for trial, seen in turns if number % 2 == 0 else reversed(turns):
            seen.append(trial())
    log.info("%s %s", name, [[round(figure) for figure in seen] for seen in figures])
    own, most, *other = map(median, figures)
    found = Result(name, unit, own, most, limit.name, own / most, limit.target)
    return found if peer is None else _with_peer(found, peer, other[0])


def _with_peer(found: Result, peer: Side, figure: float) -> Result:
    told = asdict(found) | {"peer": figure, "peer_name": peer.name, "peer_target": peer.target}
    return Result(**told | {"peer_ratio": found.ours / figure})


def write(results: Iterable[Result], path: Path) -> None:
    """Writes them as a JSON list."""
    rows = [{name: _rounded(value) for name, value in asdict(result).items()} for result in results]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")


def table(results: Iterable[Result]) -> Table:
    """For people to read."""
    shown = Table(box=box.SIMPLE_HEAD, caption="medians; a ratio is ours through theirs, higher is better")
    for column in ("benchmark", "ours", "held against", "theirs", "ratio", "target", ""):
        shown.add_column(column, justify="right" if column in NUMBERS else "left", no_wrap=True)
    for result in results:
        ours, mark = f"{result.ours:,.0f} {result.unit}", "✓" if result.reached else "✗"
        shown.add_row(result.name, ours, *_against(result.limit_name, result.limit, result.ratio, result.target), mark)
        if result.peer_name:
            told = (result.peer_name, result.peer or 0, result.peer_ratio or 0, result.peer_target or 0)
            shown.add_row("", "", *_against(*told), "")
    return shown


NUMBERS: Final = frozenset({"ours", "theirs", "ratio", "target"})


def _against(name: str, figure: float, ratio: float, target: float) -> tuple[str, str, str, str]:
    return name, f"{figure:,.0f}", f"{ratio:.2f}", f"{target:g}"


def _rounded(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value
