"""Pigs on their way: raised under ear tags, quarantined, checked on the road, slaughtered on a line that is cleaned.

The farm's delivery and the slaughterhouse's receipt are theirs to tell; the rest is the quarantine system's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from demo.generator.codes import digits
from demo.generator.goods import LIVESTOCK, MADE
from demo.generator.ledger import Ledger
from demo.generator.papers import Certificate, Line, Lot, Paper
from demo.generator.world import QUARANTINE, Site

PIG: Final = next(product for product in LIVESTOCK if product.name == "生猪")
CARCASS: Final = next(product for product in MADE if "生猪" in product.made_of)
CARCASS_KG: Final = 85
"""Of a pig of 115 kg."""

SWINE: Final = "1"
"""The first digit of an ear tag."""

LINE: Final = "1号屠宰线"
LOADED, CHECKED = timedelta(minutes=10), timedelta(minutes=40)
"""After the delivery was written: the lorry leaves, and half an hour before it arrives is checked."""


def pigs(ledger: Ledger) -> None:
    """Each pig farm sends a lorry to two slaughterhouses, which kill before the makers' lorries leave."""
    makers = [maker for maker in ledger.world.of("maker") if CARCASS in maker.goods]
    for farm in ledger.world.of("livestock"):
        if PIG in farm.goods:
            for maker in ledger.rng.sample(makers, k=2):
                _send(ledger, farm, maker)
    for maker in makers:
        # 清场, after the day's last pig.
        _note(ledger, "cleaning", ledger.at(7.0), maker, [], production_line=LINE)


def _send(ledger: Ledger, farm: Site, maker: Site) -> None:
    lot = _herd(ledger, farm, ledger.rng.randint(6, 14))
    line = Line(lot, Decimal(len(lot.tags)))
    _note(ledger, "farming", ledger.at(0.5), farm, [line])
    shipment = ledger.hand_over(farm, maker, [line], 1.5, 1.6)
    assert shipment
    lorry = {"vehicle": shipment.facts["vehicle"]}
    _note(ledger, "transport", shipment.time + LOADED, farm, [line], **lorry)
    _note(ledger, "checkpoint", shipment.time + CHECKED, _checkpoint(ledger, maker), [line], **lorry)
    _slaughter(ledger, maker, line)


def _herd(ledger: Ledger, farm: Site, heads: int) -> Lot:
    """A lorry's pigs, their tags, and the certificate for that day and so many heads."""
    tags = tuple(f"{SWINE}{farm.division}{digits(ledger.rng, 8)}" for _ in range(heads))
    certificate = Certificate(
        "动物检疫合格证明（动物B）",
        f"DB{digits(ledger.rng, 10)}1",
        f"{farm.name[:3]}动物卫生监督所",
        ledger.day,
        issued_on=ledger.day,
        quantity=Decimal(heads),
        unit=PIG.unit,
    )
    return Lot(PIG, farm, ledger.number("CL"), ledger.day, certificates=(certificate,), tags=tags)


def _checkpoint(ledger: Ledger, maker: Site) -> Site:
    return next(site for site in ledger.world.checkpoints if site.city == maker.city)


def _slaughter(ledger: Ledger, maker: Site, animals: Line) -> None:
    """Carcasses with a meat certificate of their own."""
    ledger.stock.take(maker, animals.quantity, (PIG.name,))
    lot = ledger.lot(CARCASS, maker, [animals.lot], prefix="R")
    carcasses = Line(lot, animals.quantity * CARCASS_KG, raws=(animals,))
    ledger.stock.put(maker, lot, carcasses.quantity)
    _note(ledger, "slaughter", ledger.at(5.0), maker, [carcasses], production_line=LINE)


def _note(ledger: Ledger, step: str, at: datetime, site: Site, lines: Sequence[Line], **facts: object) -> None:
    number = ledger.number("JY")
    ledger.add(Paper(QUARANTINE, "capture", at, site, number, list(lines), facts={"step": step, **facts}))
