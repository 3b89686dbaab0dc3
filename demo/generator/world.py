"""Who trades: about 300 operators of three cities, their suppliers outside the province, and who uses which app."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from contracts import divisions, identity
from demo.generator import codes
from demo.generator.goods import BROUGHT_IN, LIVESTOCK, MADE, PRODUCE, Product

MARKET, ONE_NETWORK, CATERING, QUARANTINE = "market", "one_network", "catering", "docking.quarantine"

CITIES: Final = ("3701", "3702", "3713")
"""济南, 青岛 and 临沂."""

COUNTIES: Final = {
    "3701": ("370102", "370103", "370105", "370112", "370114", "370126"),
    "3702": ("370202", "370203", "370211", "370214", "370281", "370285"),
    "3713": ("371302", "371311", "371312", "371323", "371324", "371328"),
}

_FAMILY: Final = "王李张刘陈杨赵孙周吴徐马朱胡郭何高林"
_GIVEN: Final = "建国 秀英 海燕 志强 丽华 学军 桂兰 文博 春梅 立新 玉珍 思远 国庆 雪梅 永刚 小芳"
_BRANDS: Final = "鲁源 绿丰 泉城 沂蒙 蓝海 金穗 岱青 惠民 瑞禾 东岳 康泽 齐盛 和润 百禾 乐家 青禾"


@dataclass(frozen=True, eq=False)
class Site:
    """A place of an operator, by all the names papers give it. `app` is the system it uses, None outside.

    `goods` are what it grows, makes or trades in; `region` is 省外 or 境外 for one outside the province.
    """

    kind: str
    app: str | None
    own_id: str | None
    name: str
    division: str | None
    address: str
    contact: str
    phone: str
    uscc: str | None = None
    licence: str | None = None
    id_number: str | None = None
    link: str | None = None
    unit_kind: str | None = None
    market: str | None = None
    region: str | None = None
    goods: tuple[Product, ...] = ()

    @property
    def city(self) -> str:
        """Prefix of its division."""
        return (self.division or "")[:4]

    @property
    def issuer(self) -> str | None:
        """The id its batch numbers count under: the operator's where papers name a USCC, else the site's."""
        return identity.operator_id(uscc=self.uscc) if self.uscc else self.id

    @property
    def id(self) -> str | None:
        """The platform's id of the site."""
        return identity.site_id(licence=self.licence, uscc=self.uscc, id_number=self.id_number)


@dataclass
class World:
    """All sites by kind; `outside` are no operators of ours, `checkpoints` stand at roads."""

    sites: list[Site] = field(default_factory=list)
    outside: list[Site] = field(default_factory=list)
    markets: list[Site] = field(default_factory=list)
    checkpoints: list[Site] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Site]:
        """Sites of these kinds, in the order they were made."""
        return [site for site in self.sites if site.kind in kinds]


@dataclass(frozen=True)
class _Kind:
    """How many sites of a kind there are, and what their papers look like."""

    kind: str
    count: int
    title: str
    app: str
    link: str
    uscc: str
    licence: str = ""
    unit_kind: str | None = None
    goods: tuple[Product, ...] = ()


def _named(products: Iterable[Product], *words: str) -> tuple[Product, ...]:
    return tuple(product for product in products if any(word in product.category for word in words))


def _made_of(*raws: str) -> tuple[Product, ...]:
    return tuple(product for product in MADE if set(product.made_of) & set(raws))


_GOODS_SOLD: Final = (*PRODUCE, *MADE)

_KINDS: Final = (
    _Kind("farm", 18, "蔬菜种植专业合作社", ONE_NETWORK, "生产", "93", goods=_named(PRODUCE, "蔬菜")),
    _Kind("farm", 10, "果品专业合作社", ONE_NETWORK, "生产", "93", goods=_named(PRODUCE, "水果")),
    _Kind("farm", 8, "水产养殖场", ONE_NETWORK, "生产", "91", goods=_named(PRODUCE, "水产")),
    _Kind("farm", 12, "粮油种植家庭农场", ONE_NETWORK, "生产", "", goods=_named(PRODUCE, "粮食")),
    _Kind("livestock", 8, "生猪养殖场", ONE_NETWORK, "生产", "91", goods=_named(LIVESTOCK, "鲜肉")),
    _Kind("livestock", 5, "肉鸡养殖场", ONE_NETWORK, "生产", "91", goods=_named(LIVESTOCK, "禽肉")),
    _Kind("livestock", 5, "奶牛牧场", ONE_NETWORK, "生产", "91", goods=_named(LIVESTOCK, "乳")),
    _Kind("maker", 4, "肉类屠宰加工有限公司", ONE_NETWORK, "生产", "91", "SC104", goods=_made_of("生猪")),
    _Kind("maker", 3, "禽业食品有限公司", ONE_NETWORK, "生产", "91", "SC104", goods=_made_of("肉鸡")),
    _Kind("maker", 5, "面粉米业有限公司", ONE_NETWORK, "生产", "91", "SC101", goods=_made_of("小麦", "稻谷", "玉米")),
    _Kind("maker", 3, "粮油食品有限公司", ONE_NETWORK, "生产", "91", "SC102", goods=_made_of("花生果", "大豆")),
    _Kind("maker", 3, "乳业有限公司", ONE_NETWORK, "生产", "91", "SC105", goods=_made_of("生鲜乳")),
    _Kind("maker", 2, "酒业有限公司", ONE_NETWORK, "生产", "91", "SC115", goods=_made_of("高粱")),
    _Kind("maker", 2, "水产食品有限公司", ONE_NETWORK, "生产", "91", "SC122", goods=_made_of("对虾")),
    _Kind("wholesaler", 12, "粮油副食配送有限公司", ONE_NETWORK, "流通", "91", "JY1", goods=tuple(MADE)),
    _Kind("importer", 6, "国际贸易有限公司", ONE_NETWORK, "流通", "91", "JY1", goods=tuple(BROUGHT_IN)),
    _Kind("stall", 24, "蔬菜批发", MARKET, "流通", "92", "JY1", goods=_named(_GOODS_SOLD, "蔬菜")),
    _Kind("stall", 10, "果品批发", MARKET, "流通", "92", "JY1", goods=_named(_GOODS_SOLD, "水果")),
    _Kind("stall", 8, "水产批发", MARKET, "流通", "92", "JY1", goods=_named(_GOODS_SOLD, "水产")),
    _Kind("stall", 14, "肉类批发", MARKET, "流通", "92", "JY1", goods=_named(MADE, "肉")),
    _Kind("shop", 34, "超市", ONE_NETWORK, "流通", "91", "JY1"),
    _Kind("mother_baby", 8, "母婴用品店", ONE_NETWORK, "特食", "92", "JY1"),
    _Kind("pharmacy", 6, "大药房", ONE_NETWORK, "特食", "91", "JY1"),
    _Kind("canteen", 44, "小学食堂", CATERING, "餐饮", "12", "JY3", "学校食堂"),
    _Kind("school", 16, "中学配餐食堂", CATERING, "餐饮", "12", "JY3", "学校食堂"),
    _Kind("group_meal", 14, "集体用餐配送中心", CATERING, "餐饮", "91", "JY2", "集体用餐配送单位"),
    _Kind("central", 9, "餐饮管理有限公司中央厨房", CATERING, "餐饮", "91", "JY2", "中央厨房"),
)

_OUTSIDE: Final = (
    ("海南绿岛果蔬有限公司", "460200", "省外", ("黄瓜", "番茄", "青椒")),
    ("内蒙古草原乳业有限公司", "150100", "省外", ("调制乳粉", "婴儿配方乳粉(1段)", "较大婴儿配方乳粉(2段)")),
    ("黑龙江五常米业有限公司", "230184", "省外", ("东北大米",)),
    ("浙江康健生物科技有限公司", "330100", "省外", ("南极磷虾油软胶囊", "维生素C咀嚼片")),
    ("Pampas Beef S.A. (Argentina)", None, "境外", ("冷冻牛腱",)),
    ("Andes Fruit Ltda. (Chile)", None, "境外", ("车厘子", "干红葡萄酒")),
    ("Fjord Salmon AS (Norway)", None, "境外", ("冰鲜三文鱼",)),
)


def build(rng: Random) -> World:
    """The world of a seed."""
    world = World()
    for city in CITIES:
        world.markets.append(_market(rng, city))
        world.checkpoints.append(_checkpoint(rng, city))
    for kind in _KINDS:
        for place in range(kind.count):
            world.sites.append(_site(rng, world, kind, place))
    world.outside += [_outside(rng, *row) for row in _OUTSIDE]
    return world


def person(rng: Random) -> str:
    """A name."""
    return rng.choice(_FAMILY) + rng.choice(_GIVEN.split())


def phone(rng: Random) -> str:
    """A mobile number."""
    return f"1{rng.choice('3578')}0{codes.digits(rng, 8)}"


def _market(rng: Random, city: str) -> Site:
    county = COUNTIES[city][0]
    name = f"{divisions.name(city + '00')}农产品批发市场"
    code = codes.uscc(rng, county, "91")
    return Site("market", MARKET, f"M{city}", name, county, address(rng, county), person(rng), phone(rng), code)


def _checkpoint(rng: Random, city: str) -> Site:
    county = COUNTIES[city][3]
    name = f"{divisions.name(county)}公路动物防疫检查站"
    code = codes.uscc(rng, county, "12")
    return Site("checkpoint", QUARANTINE, f"J{city}", name, county, address(rng, county), person(rng), phone(rng), code)


def _site(rng: Random, world: World, kind: _Kind, place: int) -> Site:
    city = CITIES[place % len(CITIES)]
    rural = kind.kind in ("farm", "livestock")
    county = rng.choice(COUNTIES[city][3:] if rural else COUNTIES[city][:5])
    stall = kind.kind == "stall"
    contact = person(rng)
    brand = rng.choice(_BRANDS.split())
    middle = contact if stall else f"{brand}{codes.digits(rng, 2)}" if kind.kind == "canteen" else brand
    number = len(world.sites)
    return Site(
        kind=kind.kind,
        app=kind.app,
        own_id=f"{city[2:]}-{'ABCDE'[number % 5]}{number:03}" if stall else f"{kind.app[:1].upper()}{number:05}",
        name=f"{divisions.name(county)}{middle}{kind.title}",
        division=county,
        address=address(rng, county),
        contact=contact,
        phone=phone(rng),
        uscc=codes.uscc(rng, county, kind.uscc) if kind.uscc else None,
        licence=codes.licence(rng, kind.licence, county) if kind.licence else None,
        id_number=None if kind.uscc else codes.id_number(rng, county),
        link=kind.link,
        unit_kind=kind.unit_kind,
        market=next(market.name for market in world.markets if market.city == city) if stall else None,
        goods=kind.goods,
    )


def _outside(rng: Random, name: str, division: str | None, region: str, goods: tuple[str, ...]) -> Site:
    products = tuple(product for product in (*PRODUCE, *BROUGHT_IN) if product.name in goods)
    code = codes.uscc(rng, division, "91") if division else None
    address = f"{divisions.path(division)}工业园区" if division else name
    return Site(
        "outside", None, None, name, division, address, person(rng), phone(rng), code, region=region, goods=products
    )


def address(rng: Random, county: str) -> str:
    """A street of a county."""
    return f"{divisions.path(county)}{rng.choice(('解放路', '人民路', '建设街', '迎宾大道'))}{rng.randint(1, 399)}号"
