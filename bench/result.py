"""What a benchmark found: sides measured in turns, medians, ratios that are better when higher."""

import json
import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

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
    spread: tuple[float, float] | None = None
    """The lowest and the highest ratio of a round to its limit; in the table only."""


def reaches(ratio: float, target: float) -> bool:
    """Whether a ratio is as good as wanted; where ours has to beat theirs, a draw is no win."""
    return ratio > target if target == 1 else ratio >= target


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
    ratios = [mine / theirs for mine, theirs in zip(*figures[:2], strict=True)]
    found = Result(name, unit, own, most, limit.name, own / most, limit.target, spread=(min(ratios), max(ratios)))
    return found if peer is None else _with_peer(found, peer, other[0])


def _with_peer(found: Result, peer: Side, figure: float) -> Result:
    told = asdict(found) | {"peer": figure, "peer_name": peer.name, "peer_target": peer.target}
    return Result(**told | {"peer_ratio": found.ours / figure})


def write(results: Iterable[Result], path: Path) -> None:
    """Writes them as a JSON list."""
    rows = [{name: _rounded(value) for name, value in asdict(result).items() if name != "spread"} for result in results]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")


def table(results: Iterable[Result], load: float, seconds: float) -> Table:
    """For people to read; `load` is the machine's load average when the run began, `seconds` what the run took."""
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=_footer(load, seconds))
    for column in ("benchmark", "held against"):
        shown.add_column(column)
    for column in ("theirs", "ours", "ratio", "rounds", "target"):
        shown.add_column(column, justify="right", no_wrap=True)
    for result in results:
        ours = f"{result.ours:,.0f}"
        told = _against(result.limit, result.ratio, result.target, ours, _range(result.spread))
        shown.add_row(f"{result.name} ({result.unit.partition('/')[0]})", result.limit_name, *told)
        if result.peer and result.peer_ratio and result.peer_target:
            told = _against(result.peer, result.peer_ratio, result.peer_target, ours)
            shown.add_row("", result.peer_name, *told)
    return shown


def _footer(load: float, seconds: float) -> str:
    cores = os.cpu_count() or 1
    busy = "; the machine was BUSY: take these figures for nothing" if load > cores / 2 else ""
    told = "medians per second; ratio: ours through theirs; rounds: its lowest and highest"
    return f"{told}\n{seconds / 60:.1f} minutes; load average at the start: {load:.1f} on {cores} cores{busy}"


def _range(spread: tuple[float, float] | None) -> str:
    return f"{spread[0]:.2f}–{spread[1]:.2f}" if spread else ""


def _against(figure: float, ratio: float, target: float, ours: str, spread: str = "") -> tuple[str, ...]:
    mark = "✓" if reaches(ratio, target) else "✗"
    return f"{figure:,.0f}", ours, f"{ratio:.2f} {mark}", spread, f"{'>' if target == 1 else '≥'} {target:.2g}"


def _rounded(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value
