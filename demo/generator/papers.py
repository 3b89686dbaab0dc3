"""The papers of a month before any app writes them: who hands which lots to whom, when."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from contracts import identity
from demo.generator.goods import Product
from demo.generator.world import Site


@dataclass(frozen=True)
class Certificate:
    """A paper that travels with the goods, by its Chinese kind; `quantity` in `unit` is what it certifies."""

    kind: str
    number: str
    issuer: str
    valid_until: date
    issued_on: date | None = None
    quantity: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Lot:
    """Goods of one batch: `number` is its issuer's; `parents` are what it was made of, `tags` its animals'."""

    product: Product
    issuer: Site
    number: str
    produced_on: date
    gtin: str | None = None
    certificates: tuple[Certificate, ...] = ()
    parents: tuple["Lot", ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """The trace code, which its holders know from the platform's answers."""
        code = identity.batch_code(gtin=self.gtin, lot=self.number, issuer=self.issuer.issuer)
        assert code, f"a lot of {self.issuer.name} without a code"
        return code

    @property
    def good_until(self) -> date:
        """The last day it may be handed on: by its shelf life, and by its papers."""
        papers = (paper.valid_until for paper in self.certificates)
        return min(self.produced_on + timedelta(days=self.product.days - 1), *papers)

    def sources(self) -> set["Lot"]:
        """The lots at the beginning of its chain, itself when it has no parents."""
        return {source for parent in self.parents for source in parent.sources()} or {self}


@dataclass
class Line:
    """One record: goods of a lot. `own` is the lot a receiver makes of them; `raws` went into a dish."""

    lot: Lot
    quantity: Decimal
    own: Lot | None = None
    raws: tuple["Line", ...] = ()
    to: Site | None = None
    diners: int = 0


@dataclass
class Paper:
    """One message of `app`: `kind` is the last word of its type, `other` the counterparty, `sent` when it was sent.

    A paper without lines tells of one thing that has no goods.
    `facts` are further fields of this kind of paper, by their documented name.
    """

    app: str
    kind: str
    time: datetime
    site: Site
    number: str
    lines: list[Line]
    other: Site | None = None
    facts: dict[str, object] = field(default_factory=dict)
    delay: timedelta = timedelta(minutes=5)

    @property
    def type(self) -> str:
        """Full type of the message."""
        return f"{self.app.split('.')[0]}.{self.kind}.v1"

    @property
    def sent(self) -> datetime:
        """When the app sent it."""
        return self.time + self.delay

    @property
    def records(self) -> int:
        """How many records it makes."""
        return len(self.lines) or 1

    def lots(self) -> set[Lot]:
        """Every lot the paper names."""
        lines = [*self.lines, *(raw for line in self.lines for raw in line.raws)]
        return {lot for line in lines for lot in (line.lot, line.own) if lot}


@dataclass
class Stock:
    """What each site holds, oldest first, so that nobody hands on more than came in."""

    held: dict[Site, list[Line]] = field(default_factory=dict)

    def put(self, site: Site, lot: Lot, quantity: Decimal) -> None:
        """Goods come in."""
        self.held.setdefault(site, []).append(Line(lot, quantity))

    def take(self, site: Site, quantity: Decimal, names: tuple[str, ...] = ()) -> Line | None:
        """At most so much of the oldest lot of these products; None when the site has none."""
        for line in self.held.get(site, []):
            if line.quantity > 0 and (not names or line.lot.product.name in names):
                taken = min(quantity, line.quantity)
                line.quantity -= taken
                return Line(line.lot, taken)
        return None

    def names(self, site: Site) -> set[str]:
        """Products in stock."""
        return {line.lot.product.name for line in self.held.get(site, []) if line.quantity > 0}

    def sweep(self, day: date) -> None:
        """At the end of a day, forget what is gone and what will be too old tomorrow."""
        for site, lines in self.held.items():
            self.held[site] = [line for line in lines if line.quantity > 0 and line.lot.good_until > day]
