"""What the simulated providers took, and what they counted."""

import secrets
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from chassis import clock

KEPT: Final = 20_000
"""Messages that are remembered."""


@dataclass
class Sent:
    """One message as its recipient sees it. `key` is what the sender gave to be recognised by."""

    provider: str
    to: str
    title: str
    text: str
    key: str
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    at: datetime = field(default_factory=clock.now)
    receipt: str = ""


class Outbox:
    """All messages, newest last; `calls` counts what was asked, by provider, `refused` what was turned away and why."""

    def __init__(self) -> None:
        self.messages: deque[Sent] = deque(maxlen=KEPT)
        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._by_key: dict[tuple[str, str, str], Sent] = {}

    def add(self, message: Sent) -> Sent:
        """Takes a message."""
        self.messages.append(message)
        self._by_key[message.provider, message.to, message.key] = message
        return message

    def known(self, provider: str, to: str, key: str) -> Sent | None:
        """The message of that key to that recipient."""
        return self._by_key.get((provider, to, key))

    def to(self, provider: str, to: str) -> list[Sent]:
        """All messages to one recipient."""
        return [message for message in self.messages if (message.provider, message.to) == (provider, to)]

    def clear(self) -> None:
        """Forgets everything."""
        self.messages.clear()
        self.calls.clear()
        self.refused.clear()
        self._by_key.clear()
