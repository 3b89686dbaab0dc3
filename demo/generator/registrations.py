"""Who the apps know: operators, stalls and units, told before anything is traded."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Final

from contracts.fields import SHANGHAI
from demo.generator.bodies import own
from demo.generator.drafts import SYNC, Message
from demo.generator.styles import STYLES, Row
from demo.generator.world import CATERING, MARKET, ONE_NETWORK, QUARANTINE, Site, World

LINES: Final = 20
"""Operators to a message."""

_DOUBTFUL_IDS: Final = {
    "id_number_format": "37010219800101",
    "id_number_check_digit": "370102198001010010",
    "id_number_birth_date": "370102198002300012",
}


def messages(world: World, first: date, run: str) -> Iterator[Message]:
    """The registrations of the day before the month; their ids begin with `run`."""
    for number, message in enumerate(_syncs(world, first, run)):
        yield replace(message, id=f"{run}-{message.app}-S{number:03}")


def _syncs(world: World, first: date, run: str) -> Iterator[Message]:
    sent = datetime.combine(first, time(20), SHANGHAI) - timedelta(days=1)
    stalls = world.of("stall")
    yield from _synced(MARKET, "operator_sync", [own(market) for market in world.markets], sent)
    for market in world.markets:
        held = [_stall(stall, first) for stall in stalls if stall.market == market.name]
        yield from _synced(MARKET, "stall_sync", held, sent, {"market": own(market)})
    operators = [_known(site, first) for site in world.sites if site.app == ONE_NETWORK]
    yield from _synced(ONE_NETWORK, "operator_sync", operators, sent)
    units = [_known(site, first) | {"unit_kind": site.unit_kind} for site in world.sites if site.app == CATERING]
    yield from _synced(CATERING, "unit_sync", units, sent)
    yield from _synced(QUARANTINE, "operator_sync", [own(site) for site in world.checkpoints], sent)
    yield from _doubtful(sent, run)


def _stall(site: Site, first: date) -> Row:
    return _known(site, first) | {"operator": {"name": site.contact, "uscc": site.uscc}}


def _known(site: Site, first: date) -> Row:
    """A site; every other one that holds a licence says until when, five years at the most."""
    months = int(site.licence[-4:-1]) % 60 if site.licence else 0
    return own(site) | ({"licence_valid_until": first + timedelta(days=31 + 30 * months)} if months % 2 else {})


def _doubtful(sent: datetime, run: str) -> Iterator[Message]:
    """Individuals whose ID number was copied wrongly: registered all the same, with a flag."""
    for number, (rule, id_number) in enumerate(_DOUBTFUL_IDS.items(), 1):
        line = {"id": f"P{run}-{number}", "name": f"流动摊贩{number}号", "id_number": id_number, "link": "流通"}
        yield from _synced(ONE_NETWORK, "operator_sync", [line], sent, rule=rule)


def _synced(
    app: str, kind: str, lines: Sequence[Row], sent: datetime, head: Row | None = None, rule: str | None = None
) -> Iterator[Message]:
    for first in range(0, len(lines), LINES):
        part = list(lines[first : first + LINES])
        data = STYLES[app][0].encode({**(head or {}), "lines": part})
        yield Message(app, f"{app.partition('.')[0]}.{kind}.v1", "", sent, sent, data, len(part), SYNC, rule=rule)
