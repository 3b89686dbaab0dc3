"""Cross-contamination: same site and line, overlapping use, until a recorded clean-down (domain: "Truth checks"). Pure.

Who used a line is told by the event; one that names no line is not judged, and nothing is guessed of it. A time at
midnight stands for its whole day, since many papers carry a day only: two uses of one day overlap, and a clean-down
(清场) ends the day that it names.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from contracts.fields import is_day_only
from contracts.trace import Step
from services.trace.lineage import TRANSFORMS

ON_LINES: Final = TRANSFORMS | {Step.CLEANING}
"""What happens on a line."""

DAY, INSTANT = timedelta(days=1), timedelta(microseconds=1)


class Use(NamedTuple):
    """A step on a line of one site, or a clean-down of it; `line` is None where the event names none."""

    id: str
    step: Step
    time: datetime
    line: str | None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def begins(self) -> datetime:
        """The earliest moment it may mean."""
        return self.time

    @property
    def ends(self) -> datetime:
        """The last moment it may mean."""
        return self.time + DAY - INSTANT if is_day_only(self.time) else self.time


class Stretch(NamedTuple):
    """A line's use by the batches, from their first step there up to a clean-down; `cleaned` is None without one."""

    line: str
    begins: datetime
    cleaned: Use | None
    uses: tuple[Use, ...]
    others: tuple[Use, ...]
    """What else went over the line meanwhile: `touched` may be contaminated."""


class Judged(NamedTuple):
    """The stretches of one site, and the steps that say too little to be judged."""

    stretches: list[Stretch]
    unjudged: list[Use]


def judge(batches: Collection[str], site: Iterable[Use]) -> Judged:
    """What batches may have contaminated at a site, of which these are the steps on lines."""
    by_line: dict[str | None, list[Use]] = defaultdict(list)
    for use in sorted(site, key=lambda use: (use.time, use.id)):
        by_line[use.line].append(use)
    lineless = by_line.pop(None, [])
    found = [stretch for line in sorted(by_line, key=str) for stretch in _stretches(batches, by_line[line])]
    unjudged = [use for use in lineless if _names(use, batches) or any(_within(use, stretch) for stretch in found)]
    return Judged(found, unjudged)


def touched(other: Use) -> tuple[str, ...]:
    """The batches that another's step on the line may have contaminated: what it made, else what it worked on."""
    return other.outputs or other.inputs


def clean_at_last(uses: Iterable[Use], cleanings: Iterable[Use]) -> datetime | None:
    """When all lines of these uses were clean again after them; None where one of them was not."""
    by_line: dict[str | None, list[Use]] = defaultdict(list)
    for cleaning in cleanings:
        by_line[cleaning.line].append(cleaning)
    ended = [_cleaned_after(use, by_line[use.line]) for use in uses if use.line is not None]
    done = [_done(cleaning) for cleaning in ended if cleaning]
    return max(done) if done and len(done) == len(ended) else None


def _stretches(batches: Collection[str], line: Sequence[Use]) -> list[Stretch]:
    cleanings = [use for use in line if use.step is Step.CLEANING]
    steps = [use for use in line if use.step in TRANSFORMS]
    ours: dict[Use | None, list[Use]] = defaultdict(list)
    for use in steps:
        if _names(use, batches):
            ours[_cleaned_after(use, cleanings)].append(use)
    others = [use for use in steps if not _names(use, batches)]
    return [_stretch(cleaned, uses, others) for cleaned, uses in ours.items()]


def _stretch(cleaned: Use | None, uses: Sequence[Use], others: Iterable[Use]) -> Stretch:
    bare = Stretch(str(uses[0].line), min(use.begins for use in uses), cleaned, tuple(uses), ())
    return bare._replace(others=tuple(other for other in others if _within(other, bare)))


def _cleaned_after(use: Use, cleanings: Iterable[Use]) -> Use | None:
    return next((cleaning for cleaning in sorted(cleanings, key=_done) if _done(cleaning) > use.ends), None)


def _within(use: Use, stretch: Stretch) -> bool:
    return use.ends >= stretch.begins and (stretch.cleaned is None or use.begins < _done(stretch.cleaned))


def _done(cleaning: Use) -> datetime:
    """When a line was clean at last: at the end of the day, where the clean-down names a day."""
    return cleaning.time + DAY if is_day_only(cleaning.time) else cleaning.time


def _names(use: Use, batches: Collection[str]) -> bool:
    return any(batch in batches for batch in (*use.inputs, *use.outputs))
