"""A docked system corrects itself over the bus: it declares an error about a record of its own. The record stays."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from demo.generator import Message
from demo.generator.world import QUARANTINE
from demo.questions import Json, Shilian

REASON: Final = "车牌号填写有误"
STAGE: Final = "correction"


@dataclass(frozen=True)
class Correction:
    """The event as it is shown afterwards, the declarations about it, and whether all is still as it was sealed."""

    event: Json
    declarations: list[Json]
    evidence: Json

    @property
    def sound(self) -> bool:
        """Whether the one declaration took effect, the event says so, and nothing was overwritten."""
        taken = [each for each in self.declarations if each["state"] == "applied" and each["reason"] == REASON]
        return len(taken) == 1 and bool(self.event["declaration_id"]) and not self.evidence["problems"]

    def summary(self) -> Json:
        """What `summary.json` says."""
        return {
            "event": self.event["event_id"],
            "source": self.event["source"],
            "declarations": [
                {name: each[name] for name in ("state", "declarer", "declared_by")} for each in self.declarations
            ],
            "problems": self.evidence["problems"],
        }


def correct(
    shilian: Shilian,
    herd: str,
    month: Sequence[Message],
    publish: Callable[[Message], None],
    settle: Callable[[], None],
) -> Correction:
    """Declares wrong what the checkpoint wrote down about a herd's lorry; nothing of its chain depends on that."""
    listed = shilian.ask_json("event", "list", "--batch", herd, "--step", "checkpoint")["events"]
    wrong = str(listed[0]["event_id"])
    publish(_declaration(wrong, month))
    settle()
    shown = shilian.ask_json("event", "show", wrong)
    return Correction(shown["event"], shown["declarations"], shilian.ask_json("verify"))


def _declaration(event: str, month: Sequence[Message]) -> Message:
    """The last word of the month."""
    body = {"lines": [{"event_id": event, "reason": REASON}]}
    sent = max(message.sent for message in month)
    data = json.dumps(body, ensure_ascii=False).encode()
    return Message(QUARANTINE, "docking.declare_errors.v1", "correction-1", sent, sent, data, 1, STAGE)
