"""A day of trade before the kitchens: farms, makers, importers, wholesalers, market stalls, shops."""

from collections.abc import Sequence
from decimal import Decimal

from demo.generator import animals, codes
from demo.generator.goods import BROUGHT_IN, MADE, PRODUCE, Product
from demo.generator.ledger import Ledger
from demo.generator.papers import Line, Lot, Paper
from demo.generator.world import QUARANTINE, Site

RAISED_A_MESSAGE = 6
"""Farming records to one message of the quarantine system."""

_ANY: tuple[Product, ...] = (*PRODUCE, *MADE, *BROUGHT_IN)
_SHOP_GOODS: dict[str, tuple[Product, ...]] = {
    "mother_baby": tuple(product for product in BROUGHT_IN if "婴" in product.category),
    "pharmacy": tuple(product for product in BROUGHT_IN if "保健" in product.category),
}


def morning(ledger: Ledger) -> None:
    """Farms harvest, animals leave for slaughter, goods come from outside, stalls and makers take them in."""
    _harvest(ledger)
    animals.pigs(ledger)
    _livestock(ledger)
    _from_outside(ledger)


def stalls(ledger: Ledger, buyers: Sequence[Site]) -> None:
    """Market stalls sell to kitchens and shops with a ticket that names them, and to the public."""
    for stall in ledger.world.of("stall"):
        _sell(ledger, stall, ledger.rng.choice(_near(stall, buyers, ledger)), ledger.kg(10, 60), 5.0, 1.2)
        _retail(ledger, stall)


def wholesalers(ledger: Ledger, buyers: Sequence[Site]) -> None:
    """Wholesalers and importers deliver to shops and kitchens."""
    for seller in ledger.world.of("wholesaler"):
        for buyer in ledger.rng.sample(_near(seller, buyers, ledger), k=2):
            _sell(ledger, seller, buyer, ledger.kg(20, 120), 4.5, 1.5)
    for seller in ledger.world.of("importer"):
        for kind in ("shop", "mother_baby", "pharmacy"):
            _sell(ledger, seller, ledger.rng.choice(ledger.world.of(kind)), ledger.kg(5, 30), 4.5, 2.5)


def afternoon(ledger: Ledger) -> None:
    """Makers deliver what they made of the morning's raw goods."""
    wholesale = ledger.world.of("wholesaler")
    for maker in ledger.world.of("maker"):
        stalls = [stall for stall in ledger.world.of("stall") if set(stall.goods) & set(maker.goods)]
        for buyer in [*ledger.rng.sample(stalls, k=min(2, len(stalls))), *ledger.rng.sample(wholesale, k=2)]:
            _sell(ledger, maker, buyer, ledger.kg(150, 600), 14.0, 3.0)


def stocked(ledger: Ledger, sellers: Sequence[Site], product: str) -> list[Site]:
    """Who of them has the product."""
    return [seller for seller in sellers if product in ledger.stock.names(seller)]


def _near(seller: Site, buyers: Sequence[Site], ledger: Ledger) -> list[Site]:
    """Mostly buyers of its own city."""
    near = [buyer for buyer in buyers if buyer.city == seller.city]
    return near + ledger.rng.sample(list(buyers), k=2)


def _harvest(ledger: Ledger) -> None:
    makers, stalls = ledger.world.of("maker"), ledger.world.of("stall")
    for farm in ledger.world.of("farm"):
        product = ledger.rng.choice(farm.goods)
        users = [maker for maker in makers if any(product.name in made.made_of for made in maker.goods)]
        sellers = [stall for stall in stalls if product in stall.goods]
        lot = ledger.lot(product, farm, prefix="CS")
        ledger.stock.put(farm, lot, ledger.kg(800, 2000))
        buyers = ledger.rng.sample(sellers, k=min(2, len(sellers))) + ledger.rng.sample(users, k=min(1, len(users)))
        for buyer in buyers:
            _deliver_raw(ledger, farm, buyer, ledger.kg(200, 600))


def _livestock(ledger: Ledger) -> None:
    """Poultry and milk: the quarantine system knows the lot from the farm on."""
    raised: list[Line] = []
    for farm in (each for each in ledger.world.of("livestock") if animals.PIG not in each.goods):
        product = farm.goods[0]
        lot = ledger.lot(product, farm, prefix="CL")
        quantity = ledger.kg(1500, 3000)
        ledger.stock.put(farm, lot, quantity)
        raised.append(Line(lot, quantity))
        users = [
            maker for maker in ledger.world.of("maker") if any(product.name in made.made_of for made in maker.goods)
        ]
        for buyer in ledger.rng.sample(users, k=min(2, len(users))):
            _deliver_raw(ledger, farm, buyer, ledger.kg(500, 900))
    for first in range(0, len(raised), RAISED_A_MESSAGE):
        lines = raised[first : first + RAISED_A_MESSAGE]
        facts: dict[str, object] = {"step": "farming"}
        where, number = lines[0].lot.issuer, ledger.number("JYSB")
        ledger.add(Paper(QUARANTINE, "capture", ledger.at(0.5), where, number, lines, facts=facts))


def _deliver_raw(ledger: Ledger, farm: Site, buyer: Site, quantity: Decimal) -> None:
    """A maker books raw goods under the lot it makes of them, some stalls under a number of their own."""
    line = ledger.stock.take(farm, quantity)
    if not line:
        return
    product = line.lot.product
    made = next((made for made in buyer.goods if product.name in made.made_of), None)
    renames = made is not None or ledger.rng.random() < 0.3

    def rename(line: Line) -> Lot | None:
        return ledger.lot(made or product, buyer, [line.lot], prefix="R") if renames else None

    ledger.hand_over(farm, buyer, [line], 2.0, 1.5, rename)


def _from_outside(ledger: Ledger) -> None:
    for supplier in ledger.world.outside:
        product = ledger.rng.choice(supplier.goods)
        kind = "stall" if product in PRODUCE else "importer"
        buyers = [site for site in ledger.world.of(kind) if product in site.goods]
        gtin = None if product in PRODUCE else codes.gtin(ledger.rng)
        line = Line(ledger.lot(product, supplier, gtin=gtin, prefix="W"), ledger.kg(500, 1500))
        ledger.hand_over(supplier, ledger.rng.choice(buyers), [line], 1.0, 1.5)


def _sell(ledger: Ledger, seller: Site, buyer: Site, quantity: Decimal, hour: float, lag: float) -> None:
    lines = [line for line in (_pick(ledger, seller, buyer, quantity) for _ in range(2)) if line]
    ledger.hand_over(seller, buyer, _once_each(lines), hour, lag)


def _pick(ledger: Ledger, seller: Site, buyer: Site, quantity: Decimal) -> Line | None:
    names = sorted(ledger.stock.names(seller) & wanted(buyer))
    return ledger.stock.take(seller, quantity, (ledger.rng.choice(names),)) if names else None


def wanted(buyer: Site) -> set[str]:
    """Products a buyer deals in; shops take anything packaged or fresh."""
    return {product.name for product in buyer.goods or _SHOP_GOODS.get(buyer.kind, _ANY)}


def _once_each(lines: list[Line]) -> list[Line]:
    """Two picks of one lot are one line."""
    merged: dict[Lot, Line] = {}
    for line in lines:
        if line.lot in merged:
            merged[line.lot].quantity += line.quantity
        else:
            merged[line.lot] = line
    return list(merged.values())


def _retail(ledger: Ledger, stall: Site) -> None:
    line = ledger.stock.take(stall, ledger.kg(1, 20))
    if line and stall.app:
        ledger.add(Paper(stall.app, "sale_ticket", ledger.at(8.5), stall, ledger.number("LS"), [line]))
