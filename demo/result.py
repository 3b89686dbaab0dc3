"""What to play, and what it came to."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from clients.cli.letters import Letter
from demo.bulletin import Bulletin
from demo.correcting import Correction
from demo.counting import Count, Speed
from demo.inquiry import Inquiry
from demo.loop import Told
from demo.questions import Answer, Json
from demo.recall import Called


@dataclass(frozen=True)
class Plan:
    """What to play, where its results go, and whether its stack is left running when it went well."""

    folder: Path
    first: date
    seed: int
    scale: float
    keep: bool = False


@dataclass
class Result:
    """What a run came to; `egress` is what each source was answered, `elsewhere` what died between our services."""

    count: Count
    speed: Speed
    rejected: dict[str, int]
    elsewhere: list[Letter]
    flagged: dict[str, int]
    findings: dict[str, dict[str, int]]
    egress: dict[str, list[Json]]
    rosters: list[Json]
    loop: Told
    recall: Called
    bulletin: Bulletin
    inquiry: Inquiry
    lunch: Answer
    tainted: Answer
    recalled: Answer
    correction: Correction
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Nothing lost, dead between services or changed; chains whole, the case closed, figures and recall right."""
        kept = self.count.lost == 0 and not self.elsewhere and self.inquiry.sound and self.correction.sound
        whole = self.lunch.chain["complete"] and self.tainted.chain["complete"]
        done = self.loop.case_state == "closed" and self.recall.grown
        return bool(kept and whole and done and self.bulletin.agrees)

    def summary(self) -> Json:
        """What `summary.json` says."""
        return {
            **self.count._asdict(),
            "lost": self.count.lost,
            "dead_elsewhere": len(self.elsewhere),
            "rosters": self.rosters,
            "loop": self.loop.summary(),
            "recall": self.recall.summary(),
            "bulletin": self.bulletin.summary(),
            "inquiry": self.inquiry.summary(),
            "correction": self.correction.summary(),
            "batches": {
                "lunch": self.lunch.summary(),
                "contaminated": self.tainted.summary(),
                "recalled": self.recalled.summary(),
            },
            "rejected_by_rule": self.rejected,
            "flagged_by_rule": self.flagged,
            "findings": self.findings,
            "speed": self.speed.summary(),
            "seconds": self.seconds,
        }
