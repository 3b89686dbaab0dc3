"""The count that must close, in records, and how fast it went. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from clients.cli.letters import Letter
from demo.files import Sent


class Count(NamedTuple):
    """Published and duplicates are the publishers' word, recorded the stores', rejected the dead-letter queues'."""

    published: int
    recorded: int
    duplicates: int
    rejected: int

    @property
    def lost(self) -> int:
        """What nobody can account for; below zero, what was counted twice."""
        return self.published - self.recorded - self.duplicates - self.rejected

    def __str__(self) -> str:
        return (
            f"demo: published {self.published} = recorded {self.recorded} + duplicates {self.duplicates}"
            f" + rejected {self.rejected}; lost {self.lost}"
        )


class Latency(NamedTuple):
    """Seconds from a publisher's handing over to the recording."""

    median: float
    p99: float


class Speed(NamedTuple):
    """Records a second while the month was published at once, and how long records took then and at a steady rate."""

    records_per_second: float
    backlog: Latency
    steady_rate: float
    steady: Latency

    def summary(self) -> dict[str, float]:
        """What `summary.json` says."""
        return {
            "records_per_second": round(self.records_per_second, 1),
            "backlog_median_s": round(self.backlog.median, 3),
            "backlog_p99_s": round(self.backlog.p99, 3),
            "steady_records_per_second": self.steady_rate,
            "steady_median_s": round(self.steady.median, 3),
            "steady_p99_s": round(self.steady.p99, 3),
        }


def count(sent: Iterable[Sent], recorded: int, dead: Iterable[Letter]) -> Count:
    """The count of a run."""
    logs = list(sent)
    return Count(
        published=sum(message.records for message in logs),
        recorded=recorded,
        duplicates=sum(message.duplicates for message in logs),
        rejected=sum(letter.records for letter in dead),
    )


def by_reason(dead: Iterable[Letter]) -> dict[str, int]:
    """Rejected records by rule, most first."""
    reasons: Counter[str] = Counter()
    for letter in dead:
        reasons[letter.reason] += letter.records
    return dict(reasons.most_common())


def elsewhere(dead: Iterable[Letter]) -> list[Letter]:
    """Those a sender is not to blame for: dead on the way from one of our services to another.

    One refusal is made behind the adapters: only who stores records sees that an id is used again.
    """
    return [letter for letter in dead if not letter.queue.endswith(".ingest") and letter.reason != "id_reused"]


def latency(sent: Sequence[Sent], recorded_at: Iterable[tuple[str, datetime]]) -> Latency:
    """Of the records of these messages; a message that was sent twice counts from the first time."""
    first = {message.id: message.at for message in reversed(sent)}
    waits = sorted((at - first[id]).total_seconds() for id, at in recorded_at if id in first)
    return Latency(_at(waits, 0.5), _at(waits, 0.99))


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
