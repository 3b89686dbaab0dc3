"""The phases S4 names, as data: what `phases` begins with. Those who run the platform set others."""

from typing import Final

from contracts.registry import UnitKind
from contracts.trace import Category
from services.registry.documents import Phase

TEN: Final = tuple(category.value for category in Category if category is not Category.OTHER)
"""The ten categories of the 10+3."""

S4: Final[tuple[Phase, ...]] = (
    {
        "_id": "s4-launch",
        "name": "全面启用",
        "starts": "2022-04-15",
        "ends": None,
        "areas": [],
        "duties": [],
        "categories": [],
        "unit_kinds": [],
        "clause": "S4 二(一)",
        "version": 1,
    },
    {
        "_id": "s4-register",
        "name": "注册激活",
        "starts": "2022-04-15",
        "ends": "2022-06-30",
        "areas": [],
        "duties": ["register", "activate"],
        "categories": [],
        "unit_kinds": [],
        "clause": "S4 二(二)",
        "version": 1,
    },
    {
        "_id": "s4-trace",
        "name": "10+3上链追溯",
        "starts": "2022-07-01",
        "ends": None,
        "areas": [],
        "duties": [],
        "categories": [*TEN],
        "unit_kinds": [kind.value for kind in UnitKind],
        "clause": "S4 二(三)",
        "version": 1,
    },
)
