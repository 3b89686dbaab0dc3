"""A school day of the kitchens: what they buy, cook, keep a sample of and bring to schools."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from demo.generator.goods import DISHES, PREPARED, READY, Product
from demo.generator.ledger import Ledger
from demo.generator.papers import Line, Lot, Paper
from demo.generator.trade import stocked
from demo.generator.world import Site

SAMPLE_KG = Decimal("0.150")
KEPT = timedelta(hours=48)
PORTION_KG = Decimal("0.35")


def school_day(ledger: Ledger) -> None:
    """Central kitchens prepare for canteens, canteens and group-meal kitchens cook lunch."""
    canteens = ledger.world.of("canteen")
    for kitchen in ledger.world.of("central"):
        _prepare(ledger, kitchen, [canteen for canteen in canteens if canteen.city == kitchen.city])
    for canteen in canteens:
        _cook(ledger, canteen, 2, 9.7)
    schools = ledger.world.of("school")
    for kitchen in ledger.world.of("group_meal"):
        meals = _cook(ledger, kitchen, 2, 8.0)
        _distribute(ledger, kitchen, meals, [school for school in schools if school.city == kitchen.city][:3])


def _prepare(ledger: Ledger, kitchen: Site, canteens: Sequence[Site]) -> None:
    """净菜 and 调理 goods for canteens, which take them in as any other goods."""
    name = ledger.rng.choice(sorted(PREPARED))
    product = Product(name, "预制调理食品", "5kg/盒", "3天")
    raws = _buy(ledger, kitchen, PREPARED[name], 60)
    if not raws:
        return
    lot = _use(ledger, kitchen, [(product, raws)], 7.2, "午餐")[0]
    lines = [Line(lot.lot, lot.quantity / 4) for _ in range(4)]
    for canteen, line in zip(ledger.rng.sample(list(canteens), k=4), lines, strict=True):
        ledger.hand_over(kitchen, canteen, [line], 8.2, 0.5)


def _cook(ledger: Ledger, kitchen: Site, dishes: int, hour: float) -> list[Line]:
    """Buys, cooks and keeps a sample of each dish; the meal batches."""
    ready = [READY[name] for name in sorted(ledger.stock.names(kitchen) & READY.keys())]
    menu = [*ready, *ledger.rng.sample(sorted(DISHES.items()), k=dishes)][:dishes]
    bought = [(Product(name, "餐食", "份餐", "1天"), _buy(ledger, kitchen, raws, 40)) for name, raws in menu]
    planned = [(dish, raws) for dish, raws in bought if raws]
    meals = _use(ledger, kitchen, planned, hour, "午餐") if planned else []
    _sample(ledger, kitchen, meals, hour + 0.7)
    return meals


def _buy(ledger: Ledger, kitchen: Site, names: Sequence[str], most: int) -> list[Line]:
    """Takes each raw good out of the larder, after buying what it lacks from somebody near who has it."""
    raws: dict[Lot, Line] = {}
    for name in names:
        if name not in ledger.stock.names(kitchen):
            _shop(ledger, kitchen, name)
        if line := ledger.stock.take(kitchen, ledger.kg(most // 4, most), (name,)):
            raws[line.lot] = line
    return list(raws.values())


def _shop(ledger: Ledger, kitchen: Site, name: str) -> None:
    sellers = stocked(ledger, ledger.world.of("stall", "wholesaler", "importer"), name)
    near = [seller for seller in sellers if seller.city == kitchen.city] or sellers
    if not near:
        return
    seller = ledger.rng.choice(near)
    line = ledger.stock.take(seller, ledger.kg(40, 120), (name,))
    if line:
        ledger.hand_over(seller, kitchen, [line], 4.8, 1.2)


def _use(
    ledger: Ledger, kitchen: Site, planned: Sequence[tuple[Product, list[Line]]], hour: float, meal: str
) -> list[Line]:
    """One kitchen-use paper, a line per dish."""
    lines = []
    for product, raws in planned:
        lot = ledger.lot(product, kitchen, [raw.lot for raw in raws], prefix="CP")
        lines.append(Line(lot, sum((raw.quantity for raw in raws), Decimal(0)), raws=tuple(raws)))
    paper = Paper(kitchen.app or "", "kitchen_use", ledger.at(hour), kitchen, ledger.number("JG"), lines)
    paper.facts["meal"] = meal
    ledger.add(paper)
    return lines


def _sample(ledger: Ledger, kitchen: Site, meals: Sequence[Line], hour: float) -> None:
    if not meals:
        return
    at = ledger.at(hour)
    facts: dict[str, object] = {"meal": "午餐", "kept_until": at + KEPT, "sampled_by": kitchen.contact}
    lines = [Line(meal.lot, SAMPLE_KG) for meal in meals]
    ledger.add(Paper(kitchen.app or "", "retained_sample", at, kitchen, ledger.number("LY"), lines, facts=facts))


def _distribute(ledger: Ledger, kitchen: Site, meals: Sequence[Line], schools: Sequence[Site]) -> None:
    """Meals leave for schools without a kitchen, which inspect them on arrival."""
    for school in schools:
        lines = [Line(meal.lot, _share(meal.quantity, len(schools))) for meal in meals]
        for line in lines:
            line.diners = int(line.quantity / PORTION_KG)
        ledger.hand_over(kitchen, school, lines, 10.5, 0.6)


def _share(quantity: Decimal, parts: int) -> Decimal:
    """Rounded down to half a kilogram."""
    return max(Decimal(int(quantity * 2) // parts) / 2, Decimal("0.5"))
