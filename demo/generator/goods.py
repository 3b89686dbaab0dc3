"""What is traded: products of the ten categories, as the apps write them."""

from typing import Final, NamedTuple


class Product(NamedTuple):
    """Goods of one kind. `category` and `shelf_life` are words of the senders; `made_of` are the raw goods' names."""

    name: str
    category: str
    specification: str
    shelf_life: str
    unit: str = "公斤"
    made_of: tuple[str, ...] = ()

    @property
    def days(self) -> int:
        """Its shelf life."""
        number, months, _ = self.shelf_life.partition("个月")
        return int(number) * 30 if months else int(self.shelf_life.removesuffix("天"))


def _products(category: str, specification: str, shelf_life: str, names: str, unit: str = "公斤") -> list[Product]:
    return [Product(name, category, specification, shelf_life, unit) for name in names.split()]


PRODUCE: Final = [
    *_products("蔬菜", "散装", "3天", "大白菜 菠菜 黄瓜 番茄 土豆 胡萝卜 芹菜 茄子 青椒 大蒜 大葱 西兰花 平菇"),
    *_products("水果", "散装", "7天", "红富士苹果 莱阳梨 葡萄 冬枣 草莓 西瓜"),
    *_products("水产品", "鲜活", "1天", "鲤鱼 草鱼 对虾 蛤蜊 海带 扇贝"),
    *_products("粮食", "散装", "12个月", "小麦 稻谷 玉米 大豆 花生果 高粱"),
]
"""What growers bring to market as it is, and grain for the mills."""

LIVESTOCK: Final = [
    Product("生猪", "鲜肉", "活体", "1天", "头"),
    Product("肉鸡", "禽肉", "活体", "1天"),
    Product("生鲜乳", "生鲜乳", "冷藏罐车", "2天", "升"),
]
"""What the quarantine system knows from the farm on."""

MADE: Final = [
    Product("猪白条", "鲜肉", "白条", "3天", made_of=("生猪",)),
    Product("白条鸡", "禽肉", "整只冷鲜", "5天", made_of=("肉鸡",)),
    Product("小麦粉", "粮食及其制品", "25kg/袋", "12个月", made_of=("小麦",)),
    Product("大米", "粮食及其制品", "25kg/袋", "18个月", made_of=("稻谷",)),
    Product("玉米面", "粮食及其制品", "10kg/袋", "6个月", made_of=("玉米",)),
    Product("花生油", "食用植物油", "20L/桶", "18个月", made_of=("花生果",)),
    Product("大豆油", "食用植物油", "20L/桶", "18个月", made_of=("大豆",)),
    Product("巴氏杀菌乳", "乳制品", "200mL/盒", "7天", "升", ("生鲜乳",)),
    Product("学生饮用奶", "乳制品", "125mL/盒", "6个月", "升", ("生鲜乳",)),
    Product("高粱白酒", "白酒", "500mL/瓶", "120个月", "升", ("高粱",)),
    Product("速冻虾仁", "水产品", "1kg/袋", "12个月", made_of=("对虾",)),
]
"""What mills, dairies, slaughterhouses and others make in the province."""

BROUGHT_IN: Final = [
    Product("南极磷虾油软胶囊", "保健食品", "60粒/瓶", "24个月", "个"),
    Product("婴儿配方乳粉(1段)", "婴幼儿配方乳粉", "800g/罐", "24个月", "个"),
    Product("较大婴儿配方乳粉(2段)", "婴幼儿配方乳粉", "800g/罐", "24个月", "个"),
    Product("维生素C咀嚼片", "保健食品", "100片/瓶", "24个月", "个"),
    Product("干红葡萄酒", "葡萄酒", "750mL/瓶", "120个月", "升"),
    Product("东北大米", "粮食及其制品", "10kg/袋", "12个月"),
    Product("调制乳粉", "乳制品", "25kg/袋", "18个月"),
    Product("冷冻牛腱", "牛肉", "20kg/箱", "24个月"),
    Product("车厘子", "水果", "5kg/箱", "15天"),
    Product("冰鲜三文鱼", "水产品", "整条", "7天"),
]
"""What comes packaged, with a GTIN, from other provinces and abroad."""

DISHES: Final = {
    "番茄炒蛋配米饭": ("番茄", "大米", "花生油"),
    "土豆烧鸡块": ("土豆", "白条鸡", "花生油"),
    "白菜炖猪肉": ("大白菜", "猪白条", "大豆油"),
    "芹菜炒肉丝": ("芹菜", "猪白条", "大豆油"),
    "清炒西兰花": ("西兰花", "大蒜", "花生油"),
    "胡萝卜炖牛腩": ("胡萝卜", "冷冻牛腱", "大豆油"),
    "青椒炒肉片": ("青椒", "猪白条", "大豆油"),
    "馒头": ("小麦粉",),
    "米饭": ("大米",),
    "红烧鲤鱼": ("鲤鱼", "大葱", "大豆油"),
    "虾仁炒黄瓜": ("速冻虾仁", "黄瓜", "花生油"),
    "紫菜海带汤": ("海带",),
}
"""Dishes and their raw goods, the main one first."""

PREPARED: Final = {
    "净菜土豆块": ("土豆", "胡萝卜"),
    "调理猪肉丸": ("猪白条", "大葱", "小麦粉"),
    "调理鸡排": ("白条鸡", "小麦粉", "大豆油"),
}
"""What a central kitchen prepares for canteens to cook."""

READY: Final = {
    "净菜土豆块": ("土豆烧肉", ("净菜土豆块", "猪白条", "大豆油")),
    "调理猪肉丸": ("白菜肉丸汤", ("调理猪肉丸", "大白菜")),
    "调理鸡排": ("香煎鸡排配青椒", ("调理鸡排", "青椒", "花生油")),
}
"""What a canteen cooks of it."""
