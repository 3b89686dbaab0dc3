"""The last stage: the month's bulletin, frozen by its own timer, in all formats, held against a count by hand."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import grpc
from shilian.reporting.v1 import reporting_pb2 as pb

from clients.cli.bulletins import written
from demo import brute_lists, brute_records
from demo.brute_compare import Difference, differences, figures
from demo.brute_records import Json, Span
from demo.desk import PROVINCE, Desk, awaited
from demo.moment import Moment, at
from demo.platform import Platform

DIVISION: Final = "37"
FORMATS: Final = ("html", "pdf", "xlsx", "json")


FREEZE_DAY, FREEZE_HOUR = 5, 8
"""On the fifth, for the month before (domain: "Reporting")."""

EVE: Final = timedelta(minutes=20)
"""Before the freeze, all else that the days until then make due is let come to rest."""

SHOWN: Final = 20

Say = Callable[[str], object]
Line = dict[str, Any]


@dataclass(frozen=True)
class Bulletin:
    """The month's bulletin: its files, how many figures were counted anew, and which came out differently."""

    files: list[Path]
    document: Json
    compared: int
    differences: Sequence[Difference]

    @property
    def agrees(self) -> bool:
        """Whether every figure equals the count."""
        return not self.differences

    def summary(self) -> Json:
        """What `summary.json` says."""
        return {
            "month": self.document["month"],
            "files": [file.name for file in self.files],
            "figures": self.compared,
            "figures_agree": self.agrees,
            "differences": [difference._asdict() for difference in self.differences[:SHOWN]],
            "score": self.own["score"],
            "rates": self.own["rates"],
        }

    @property
    def own(self) -> Line:
        """The province's line."""
        found: Sequence[Line] = self.document["lines"]
        return next(line for line in found if line["level"] == "province" and not line["link"])

    def cities(self) -> list[Line]:
        """The cities' lines, the best first."""
        found = [line for line in self.document["lines"] if line["level"] == "city" and not line["link"]]
        return sorted(found, key=lambda line: (line["rank"] or len(found) + 1, line["code"]))


def publish_bulletin(desk: Desk, platform: Platform, moment: Moment, first: date, folder: Path, say: Say) -> Bulletin:
    """Moves the clock to the fifth after the month that begins on `first`; downloads and recounts what is frozen then.

    What the bulletin is frozen from are the facts of that moment. So all that is due before has to come to rest, and is
    counted, before the clock strikes. Raises TimeoutError.
    """
    span = Span.of(f"{first:%Y-%m}")
    freeze = at(span.after.replace(day=FREEZE_DAY), FREEZE_HOUR)
    moment.move(freeze - EVE)
    platform.await_rest(freeze - EVE, say)
    say("counting by hand")
    earlier = [*_earlier(desk, span.month)]
    records = brute_records.read(platform.stores, span.month, freeze.date(), earlier)
    counted = brute_lists.count(records, DIVISION)
    moment.move(freeze)
    say(f"until {span.month} is frozen")
    awaited(f"bulletin of {span.month}", lambda: _document(desk, span.month))
    say("downloading")
    files = [_download(desk, span.month, kind, folder) for kind in FORMATS]
    document = json.loads(files[FORMATS.index("json")].read_bytes())
    return Bulletin(files, document, len(figures(counted)), differences(document, counted))


def _earlier(desk: Desk, month: str) -> Iterator[tuple[str, list[Line]]]:
    """Lines of the months before, as published, the latest month first."""
    out = desk.ask(pb.ListBulletinsRequest(page_size=100)).bulletins
    for each in sorted({bulletin.month for bulletin in out if bulletin.month < month}, reverse=True):
        document = _document(desk, each)
        assert document
        yield each, document["lines"]


def _document(desk: Desk, month: str) -> Json | None:
    """A frozen bulletin's latest version; None while there is none."""
    try:
        answer = desk.ask(pb.GetBulletinRequest(month=month, division=DIVISION))
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise
    document: Json = json.loads(answer.document)
    return document


def _download(desk: Desk, month: str, kind: str, folder: Path) -> Path:
    format = pb.Format.Value(f"FORMAT_{kind.upper()}")
    return written(
        desk.ask(pb.DownloadBulletinRequest(month=month, division=DIVISION, format=format), PROVINCE), folder
    )
