"""One month's books: stock of every site, and the two papers that each handover of goods leaves behind."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from random import Random

from contracts.fields import SHANGHAI
from demo.generator.codes import digits
from demo.generator.goods import Product
from demo.generator.papers import Certificate, Line, Lot, Paper, Stock
from demo.generator.world import CATERING, MARKET, ONE_NETWORK, Site, World

Rename = Callable[[Line], Lot | None]

_SENT: dict[str | None, tuple[str, str]] = {
    ONE_NETWORK: ("delivery_note", "SH"),
    MARKET: ("sale_ticket", "YPT"),
    CATERING: ("meal_distribution", "PS"),
}
_TAKEN: dict[str | None, tuple[str, str]] = {
    ONE_NETWORK: ("receipt", "SHD"),
    MARKET: ("entry_ticket", "JC"),
    CATERING: ("purchase_inspection", "YS"),
}


@dataclass
class Ledger:
    """Everything that happens, in the order it is told; `day` is the day that is being played."""

    rng: Random
    world: World
    day: date
    stock: Stock = field(default_factory=Stock)
    papers: list[Paper] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _plates: dict[tuple[Site, Site], str] = field(default_factory=dict)

    def at(self, hour: float) -> datetime:
        """About that hour of the day, to the second."""
        start = datetime.combine(self.day, time(), SHANGHAI)
        return start + timedelta(hours=hour, seconds=self.rng.randint(0, 1500))

    def kg(self, least: int, most: int) -> Decimal:
        """A quantity, to half a unit."""
        return Decimal(self.rng.randint(2 * least, 2 * most)) / 2

    def number(self, prefix: str) -> str:
        """A document or lot number nobody else has."""
        return f"{prefix}{self.day:%Y%m%d}{next(self._numbers):06}"

    def lot(
        self, product: Product, issuer: Site, parents: Iterable[Lot] = (), *, gtin: str | None = None, prefix: str = "P"
    ) -> Lot:
        """A new lot with the papers that goods of its kind need."""
        certificates = tuple(self._certificates(product, issuer))
        return Lot(product, issuer, self.number(prefix), self.day, gtin, certificates, tuple(parents))

    def add(self, paper: Paper) -> Paper:
        """Writes a paper; it is sent a while later."""
        paper.delay = timedelta(seconds=self.rng.randint(30, 5400))
        self.papers.append(paper)
        return paper

    def hand_over(
        self, seller: Site, buyer: Site, lines: list[Line], hour: float, lag: float, rename: Rename | None = None
    ) -> Paper | None:
        """Goods change hands: a paper from each side that has an app, and the buyer's stock grows; the seller's paper.

        `rename` gives the lot, if any, that the buyer makes of a line. `lag` in hours.
        """
        if not lines:
            return None
        shipment: Paper | None = None
        sent, taken = self.at(hour), self.at(hour + lag)
        delivery = ""
        if seller.app:
            kind, prefix = _SENT[seller.app]
            delivery = self.number(prefix)
            sold = [Line(line.lot, line.quantity, to=buyer) for line in lines]
            vehicle = {"vehicle": self._plate(seller, buyer)}
            shipment = self.add(Paper(seller.app, kind, sent, seller, delivery, sold, buyer, dict(vehicle)))
        for line in lines:
            line.own = rename(line) if rename else None
            self.stock.put(buyer, line.own or line.lot, line.quantity)
        self._taken(seller, buyer, lines, taken, delivery)
        return shipment

    def _plate(self, seller: Site, buyer: Site) -> str:
        """Each round has a lorry of its own: nobody sees one at two places."""
        number = (len(self._plates) * 7919 + 10_007) % 100_000
        return self._plates.setdefault((seller, buyer), f"鲁{'ABQ'[number % 3]}{number:05}")

    def _taken(self, seller: Site, buyer: Site, lines: list[Line], at: datetime, delivery: str) -> None:
        kind, prefix = _TAKEN[buyer.app]
        facts: dict[str, object] = {"origin": seller.address[:12]}
        if kind == "receipt" and delivery:
            facts["delivery_no"] = delivery
        if kind == "purchase_inspection":
            facts["inspector"] = buyer.contact
        assert buyer.app
        self.add(Paper(buyer.app, kind, at, buyer, self.number(prefix), lines, seller, facts))

    def _certificates(self, product: Product, issuer: Site) -> Iterable[Certificate]:
        if "肉" in product.category:
            yield self._certificate("动物检疫合格证明", "QM", issuer, 20)
        if "肉" in product.category and issuer.kind == "maker":
            yield self._certificate("肉品品质检验合格证", "RP", issuer, 20)
        if product.category == "水产品" and issuer.kind == "maker":
            yield self._certificate("承诺达标合格证", "HG", issuer, 400)
        if issuer.region == "境外":
            yield self._certificate("进口货物入境检验检疫证明", "IM", issuer, 400)
        elif issuer.licence or "粮" in product.category or "乳" in product.category or issuer.region:
            yield self._certificate("检验报告", "JY", issuer, 400)
        else:
            yield self._certificate("承诺达标合格证", "HG", issuer, 30)

    def _certificate(self, kind: str, prefix: str, issuer: Site, days: int) -> Certificate:
        return Certificate(kind, f"{prefix}{digits(self.rng, 10)}1", issuer.name, self.day + timedelta(days=days))
