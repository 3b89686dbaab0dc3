"""The demo's month through mapping, capture and the rules of handoffs: sound trade looks sound."""

from datetime import UTC, date, datetime
from typing import Final

from contracts.envelope import Envelope
from contracts.trace import Record
from demo.generator import generate
from services.adapters.adapt import adapt
from services.adapters.catering.formats import FORMATS as CATERING
from services.adapters.docking.formats import FORMATS as DOCKING
from services.adapters.market.formats import FORMATS as MARKET
from services.adapters.one_network.formats import FORMATS as ONE_NETWORK
from services.trace.domain import decide
from services.trace.watch.handoff_accounts import discrepancies
from tests.unit.trace_handoffs import handoffs_of

FORMATS = {"market": MARKET, "one_network": ONE_NETWORK, "catering": CATERING, "docking.quarantine": DOCKING}
DAYS: Final = 0.2
SPOILED: Final = 0.01
"""Of messages, 2.5 % are spoiled on purpose; a lost half of several between two sites is a true discrepancy."""


def _records() -> list[Record]:
    now = datetime.now(UTC)
    found: list[Record] = []
    for message in generate(date(2026, 2, 1), 7, DAYS).messages:
        envelope = Envelope.new(message.type, message.app, id=message.id, time=message.sent)
        found += adapt(FORMATS[message.app], envelope, message.data, message.app, now).records
    return found


def test_accounts_of_sound_trade_agree() -> None:
    found = handoffs_of(decide(_records(), {}, {}).entries)
    compared = [each for each in found if each.shipped and each.received and not each.settled]
    assert len(compared) > 1000
    assert len(discrepancies(found)) < SPOILED * len(compared)
