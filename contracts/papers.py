"""The papers that travel with goods: their kinds, what they are called, and the clause that asks for each."""

from typing import Final, NamedTuple


class Paper(NamedTuple):
    """A kind of paper; `words` are what its Chinese name contains."""

    kind: str
    zh: str
    en: str
    words: tuple[str, ...]
    clause: str


PAPERS: Final = (
    Paper("import", "进口单证", "import papers", ("进口", "入境", "报关", "海关"), "食品安全法第九十二条"),
    # What is applied for is not certified yet.
    Paper(
        "quarantine_application",
        "检疫申报单",
        "quarantine application",
        ("检疫申报", "检疫申请"),
        "动物防疫法第四十九条",
    ),
    Paper("quarantine", "动物检疫证明", "quarantine certificate", ("检疫",), "动物防疫法第五十一条"),
    Paper("meat", "肉品品质检验合格证", "meat certificate", ("肉品", "肉检"), "生猪屠宰管理条例第十五条"),
    Paper("inspection", "检验合格证明", "inspection report", ("检验", "检测", "快检"), "食品安全法第五十一条"),
    Paper("conformity", "承诺达标合格证", "conformity certificate", ("合格证",), "农产品质量安全法第三十九条"),
    Paper("bulk_permit", "准运证", "bulk transport permit", ("准运",), "食品安全法第四十一条"),
)
"""Searched in this order: 检疫申报单 is no certificate, 检疫合格证明 no 合格证, 肉品品质检验合格证 no report."""

FORMS: Final = {
    "animal_a": "动物A",
    "product_a": "产品A",
    "animal_b": "动物B",
    "product_b": "产品B",
}
"""Types of a quarantine certificate: A leaves the province (valid 5 and 7 days at most), B stays in it (the day)."""

TITLES: Final = {paper.kind: paper.zh for paper in PAPERS}


def kind_of(name: str) -> str:
    """The platform's word for a kind of paper, or the sender's where there is none."""
    known = (paper.kind for paper in PAPERS if name == paper.kind or any(word in name for word in paper.words))
    return next(known, name)


def form_of(*names: str | None) -> str | None:
    """The type that the first of these names that tells one: 动物检疫合格证明（动物B） is `animal_b`."""
    told = (form for name in names if name for form, zh in FORMS.items() if form == name.lower() or zh in name.upper())
    return next(told, None)
