"""A month of three cities: the days are played, some papers go wrong, and all of it becomes messages."""

import math
from calendar import monthrange
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from contracts.fields import SHANGHAI
from demo.generator import kitchens, recalled, registrations, trade, world
from demo.generator.chains import Story, choose
from demo.generator.drafts import LAST_DAY, LATE, MONTH, TEST, UNTOLD, Draft, Message
from demo.generator.faults import FAULTS, Fault
from demo.generator.ledger import Ledger
from demo.generator.papers import Lot, Paper
from demo.generator.recalled import Recalled
from demo.generator.styles import Amount
from demo.generator.trouble import Trouble, quick_tests, trouble
from demo.generator.world import MARKET, ONE_NETWORK, World

BAD: Final = 0.025
"""Share of messages with a fault; resent ones and those of two apps come on top."""

RESENT, TOLD_TWICE, REUSED, DOUBTFUL = 0.003, 0.002, 0.0005, 0.0005
LEAST_DAYS: Final = 3
"""From the farm to the plate it takes two."""


@dataclass(frozen=True)
class Month:
    """What happens and what is sent; `story` is what the demo will trace, `trouble` what it will put right, `recalled`
    what it will call back.
    """

    first: date
    world: World
    messages: list[Message]
    story: Story
    trouble: Trouble
    recalled: Recalled


def generate(first: date, seed: int, scale: float = 1.0) -> Month:
    """The month that begins on `first`. The same arguments give the same bytes; `scale` is the share of its days.

    Every message id begins with the seed.
    """
    rng, tester = Random(f"{first}:{seed}"), Random(f"{first}:{seed}:tests")
    days = max(LEAST_DAYS, math.ceil(monthrange(first.year, first.month)[1] * scale))
    ledger = Ledger(rng, world.build(rng), first)
    for day in range(days):
        _play(ledger, first + timedelta(days=day), always_school=days <= 7)
        ledger.papers += quick_tests(ledger, tester)
    story = choose(ledger.papers)
    wrong = trouble(ledger, tester, story.lots)
    back = recalled.choose(ledger.papers, story.lots)
    back.put_off(datetime.combine(told_late(first), time(9, 30), SHANGHAI))
    drafts = _with_faults(rng, ledger, story.lots | {back.lot}, wrong.numbers, str(seed))
    _set_apart(drafts, wrong, back)
    told = sorted((draft.message() for draft in drafts), key=lambda message: (message.goes, message.id))
    last = first + timedelta(days=days - 1)
    staged = [replace(message, stage=LAST_DAY) if _is_of(message, last) else message for message in told]
    before = registrations.messages(ledger.world, first, str(seed))
    return Month(first, ledger.world, [*before, *staged], story, wrong, back)


def told_late(first: date) -> date:
    """The second of the next month: what is recalled then is told of too late."""
    return (first + timedelta(days=31)).replace(day=2)


def last_full_month(today: date) -> date:
    """The first day of the month before."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def _play(ledger: Ledger, day: date, always_school: bool) -> None:
    """One day, from the farms before dawn to the makers' lorries in the afternoon."""
    ledger.day = day
    school = always_school or day.weekday() < 5
    shops, all_kitchens = ledger.world.of("shop"), ledger.world.of("canteen", "group_meal", "central")
    trade.morning(ledger)
    if school:
        kitchens.school_day(ledger)
    trade.stalls(ledger, shops + all_kitchens if school else shops)
    trade.wholesalers(ledger, shops)
    trade.afternoon(ledger)
    ledger.stock.sweep(day)


def _is_of(message: Message, last: date) -> bool:
    return message.stage == MONTH and message.goes.date() >= last


def _with_faults(rng: Random, ledger: Ledger, lots: Set[Lot], numbers: Set[str], run: str) -> list[Draft]:
    """Every paper's draft, some of them spoiled, and what is told again. These lots and papers are spared."""
    drafts = [Draft.of(paper, f"{run}-{paper.app}-{number:06}") for number, paper in enumerate(ledger.papers, 1)]
    spare = [draft for draft in drafts if not (draft.paper.lots() & lots or draft.paper.number in numbers)]
    rng.shuffle(spare)
    total = len(drafts)
    _spoil(rng, spare, round(total * BAD))
    sound = (draft for draft in spare if draft.rule is None)
    return [
        *drafts,
        *(_resent(rng, next(sound)) for _ in range(max(2, round(total * RESENT)))),
        *_told_by_two(rng, sound, max(2, round(total * TOLD_TWICE)), spoil=False),
        *_told_by_two(rng, sound, max(1, round(total * DOUBTFUL)), spoil=True),
        *(_reused(next(draft for draft in sound if _can_reuse(draft))) for _ in range(max(1, round(total * REUSED)))),
    ]


def _set_apart(drafts: Sequence[Draft], wrong: Trouble, back: Recalled) -> None:
    """The failed test and what is told late are published by themselves."""
    by_number = {draft.paper.number: draft for draft in drafts}
    by_number[wrong.test.number].stage = TEST
    for paper, stage in ((wrong.receipt, LATE), (back.shipment, UNTOLD), (back.receipt, UNTOLD)):
        late = by_number[paper.number]
        late.stage, late.rule = stage, "late_upload"


def _spoil(rng: Random, drafts: Sequence[Draft], wanted: int) -> None:
    """Each fault in turn to the next draft that it can happen to, at least once around."""
    pools = {fault: iter(drafts) for fault in FAULTS}
    for turn in range(max(1, round(wanted / len(FAULTS)))):
        for fault in FAULTS:
            draft = next((draft for draft in pools[fault] if _fits(fault, draft)), None)
            if draft and turn < fault.most:
                fault.spoil(draft, rng)
                draft.rule = fault.rule


def _fits(fault: Fault, draft: Draft) -> bool:
    paper = draft.paper
    alone = len(paper.lines) == 1 or not fault.whole
    return draft.rule is None and paper.kind in fault.kinds and alone and bool(fault.fits(draft))


def _resent(rng: Random, draft: Draft) -> Draft:
    """The same message once more, as a sender does who missed a confirm."""
    return replace(draft, again=timedelta(minutes=rng.randint(5, 90)), duplicates=draft.paper.records)


def _told_by_two(rng: Random, drafts: Iterator[Draft], count: int, spoil: bool) -> Iterator[Draft]:
    """Market sales that the buyer's bookkeeper entered in one-network again; where `spoil`, with another quantity."""
    for _ in range(count):
        draft = next(
            draft for draft in drafts if draft.app == MARKET and draft.paper.kind == "sale_ticket" and draft.paper.other
        )
        yield _retold(rng, draft.paper, draft, spoil)


def _retold(rng: Random, paper: Paper, first: Draft, spoil: bool) -> Draft:
    again = Draft.of(replace(paper, app=ONE_NETWORK, kind="delivery_note"), f"{first.id}-{ONE_NETWORK}")
    again.sent = first.sent + timedelta(minutes=rng.randint(5, 60))
    again.own["id"] = None
    if spoil:
        again.line["amount"] = _other_amount(again)
        again.rule = "possible_duplicate"
    again.duplicates = len(paper.lines) - spoil
    return again


def _can_reuse(draft: Draft) -> bool:
    return len(draft.paper.lines) == 1 and draft.paper.kind in ("delivery_note", "sale_ticket")


def _reused(draft: Draft) -> Draft:
    """The same paper, line and site with another quantity: who corrects must say so, not overwrite."""
    again = Draft.of(draft.paper, f"{draft.id}-again")
    again.sent = draft.sent + timedelta(hours=1)
    again.line["amount"] = _other_amount(again)
    again.rule = "id_reused"
    return again


def _other_amount(draft: Draft) -> Amount:
    amount: Amount = draft.line["amount"]
    return Amount(amount.number + 5, amount.unit)
