"""A decision as one commit: what is written, and the messages that tell others."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from chassis.outgoing import Commit, Outgoing, outgoing
from contracts.egress import Verdict, VerdictsV1
from contracts.envelope import Envelope
from contracts.registry import SitesAliasedV1, SitesChangedV1
from services.registry.claims import SELF
from services.registry.decision import Decision
from services.registry.writes import writes

LARGEST: Final = 500
"""Sites in one message: a chain store has thousands, and a message its limit."""


def commit(decision: Decision, parent: Envelope | None) -> Commit:
    """State and announcements; `parent` is the message or the call that caused them, None for a timer."""
    return Commit(writes(decision), [*_announcements(decision, parent)])


def _announcements(decision: Decision, parent: Envelope | None) -> Iterator[Outgoing]:
    for start in range(0, len(decision.sites), LARGEST):
        changed = SitesChangedV1(sites=decision.sites[start : start + LARGEST])
        yield outgoing("registry.sites_changed.v1", changed, source=SELF, parent=parent)
    for start in range(0, len(decision.aliases), LARGEST):
        body = SitesAliasedV1(aliases=decision.aliases[start : start + LARGEST])
        yield outgoing("registry.sites_aliased.v1", body, source=SELF, parent=parent)


def answers(verdicts: Mapping[str, Sequence[Verdict]], parents: Mapping[str, Envelope]) -> list[Outgoing]:
    """What each source is told: one message per source, caused by the first that spoke of its records."""
    return [
        outgoing(
            "egress.verdicts.v1",
            VerdictsV1(source=source, verdicts=tuple(told)),
            source=SELF,
            parent=parents[source],
            key=source,
        )
        for source, told in verdicts.items()
    ]
