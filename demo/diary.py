"""What happens while people work, as it happens: calls in a person's name, and what the platform did itself."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from google.protobuf.message import Message

from clients.cli.answers import as_json
from demo.desk import Desk, Person
from demo.moment import Moment

Json = dict[str, Any]
Say = Callable[[str], object]


class Step(NamedTuple):
    """When (simulated), who did what, and what state that led to: `task closed`, `refused two_inspectors`."""

    at: datetime
    who: str
    what: str
    state: str


class Diary:
    """Calls, and a step for each."""

    def __init__(self, desk: Desk, clock: Moment, say: Say) -> None:
        self._desk, self.clock, self._say = desk, clock, say
        self.steps: list[Step] = []

    def ask(self, request: Message, who: Person) -> Json:
        """An answer that is no step."""
        return as_json(self._desk.ask(request, who))

    def call(self, request: Message, who: Person, what: str) -> Json:
        """A step, and the task, case or recall that it led to."""
        answer = self.ask(request, who)
        name = next(name for name in ("task", "case", "recall") if name in answer)
        led_to: Json = answer[name]
        self.note(who.name, what, f"{name} {led_to['state']}")
        return led_to

    def refused(self, request: Message, who: Person, what: str) -> None:
        """A call that a rule must stand against."""
        self.note(who.name, what, f"refused {self._desk.refusal(request, who)}")

    def note(self, who: str, what: str, state: str, at: datetime | None = None) -> None:
        """A step that was no call of ours."""
        self.steps.append(Step(at or self.clock.now(), who, what, state))
        self._say(f"{what} {state}")
