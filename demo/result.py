"""What to play, and what it came to."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from demo.bulletin import Bulletin
from demo.counting import Count, Speed
from demo.loop import Told
from demo.questions import Answer, Json


@dataclass(frozen=True)
class Plan:
    """What to play, and where its results go."""

    folder: Path
    first: date
    seed: int
    scale: float


@dataclass
class Result:
    """What a run came to; `egress` holds what each source was answered."""

    count: Count
    speed: Speed
    rejected: dict[str, int]
    flagged: dict[str, int]
    egress: dict[str, list[Json]]
    rosters: list[Json]
    loop: Told
    bulletin: Bulletin
    lunch: Answer
    tainted: Answer
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Nothing lost, both chains without a gap, the case closed, and the bulletin's figures those counted."""
        whole = self.lunch.chain["complete"] and self.tainted.chain["complete"]
        return bool(self.count.lost == 0 and whole and self.loop.case_state == "closed" and self.bulletin.agrees)

    def summary(self) -> Json:
        """What `summary.json` says."""
        return {
            **self.count._asdict(),
            "lost": self.count.lost,
            "rosters": self.rosters,
            "loop": self.loop.summary(),
            "bulletin": self.bulletin.summary(),
            "batches": {"lunch": self.lunch.summary(), "contaminated": self.tainted.summary()},
            "rejected_by_rule": self.rejected,
            "flagged_by_rule": self.flagged,
            "speed": self.speed.summary(),
            "seconds": self.seconds,
        }
