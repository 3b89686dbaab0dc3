"""What an inquiry asks of chains, through the command line: one animal's way, what two cases share, the evidence."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.generator.chains import Story
from demo.questions import Json, Shilian

UNMOVED: Final = frozenset({"farming", "transport", "checkpoint", "retained_sample"})
"""Steps that lead nowhere and belong to the story all the same."""

LEADERS: Final = 5
"""Suspects told."""


@dataclass(frozen=True)
class Inquiry:
    """`way` are the events of one pig's `herd`, from its farm to a lunch, in time; `common` what two meals share."""

    tag: str
    herd: str
    way: list[Json]
    picture: Path
    cases: list[str]
    common: Json
    evidence: Json

    @property
    def sound(self) -> bool:
        """Whether the herd explains both meals, and every event is as it was sealed."""
        return self.explained and not self.evidence["problems"]

    @property
    def explained(self) -> bool:
        """Whether the pig's herd is among the sources of both meals."""
        shared = (each for each in self.common["nodes"] if len(each["explains"]) == len(self.cases))
        return self.herd in {each["node"]["batch"] for each in shared}

    def summary(self) -> Json:
        """What `summary.json` says."""
        return {
            "ear_tag": self.tag,
            "steps": [event["step"] for event in self.way],
            "picture": self.picture.name,
            "cases": self.cases,
            "suspects": [each["node"]["batch"] for each in self.common["nodes"][:LEADERS]],
            "explained": self.explained,
            "verified": {name: self.evidence[name] for name in ("blocks", "events", "problems")},
        }


def inquire(shilian: Shilian, story: Story, picture: Path) -> Inquiry:
    """Asks about the story's pig and its two meals, and verifies all blocks."""
    herd, lunch = story.tainted.code, story.lunch.code
    arguments = ("trace", "path", f"{herd}@{story.tainted.issuer.id}", lunch)
    picture.write_text(shilian.ask(*arguments, "--format", "svg"), encoding="utf-8")
    cases = [lunch, story.other.code]
    return Inquiry(
        story.tainted.tags[0],
        herd,
        _way(shilian, shilian.ask_json(*arguments)),
        picture,
        cases,
        shilian.ask_json("trace", "common", *cases, "--max-suspects", "1000"),
        shilian.ask_json("verify"),
    )


def _way(shilian: Shilian, path: Json) -> list[Json]:
    """The events on a shortest way, and what else was told of its goods there."""
    batches = dict.fromkeys(node["batch"] for node in path["shortest"])
    sites = {(node["batch"], node["site"]) for node in path["shortest"]}
    told = {event["event_id"]: event for batch in batches for event in _events(shilian, batch)}
    found = [event for event in told.values() if event["step"] in UNMOVED or _is_on(event, sites, path["events"])]
    return sorted(found, key=lambda event: str(event["time"]))


def _events(shilian: Shilian, batch: str) -> list[Json]:
    events: list[Json] = shilian.ask_json("event", "list", "--batch", batch, "--page-size", "500")["events"]
    return events


def _is_on(event: Json, sites: set[tuple[str, str]], ids: list[str]) -> bool:
    batches = {lot["batch"] for lot in (*event["inputs"], *event["outputs"])}
    return event["event_id"] in ids and any((batch, event["site_id"]) in sites for batch in batches)
