"""Key data elements: where each stands in a record, its names, and how to see whether a record gives it for a lot."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contracts.trace import Lot, Record

Told = Callable[[Record, Lot], Any]
"""Something that a record tells, or does not, of one of its lots."""


@dataclass(frozen=True, slots=True, eq=False)
class Kde:
    """One element: where it stands in a record, its names, and how to see whether a record gives it for a lot."""

    field: str
    zh: str
    en: str
    given: Told


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """What else a record has to tell of a lot for a duty to hold."""

    zh: str
    holds: Told


def _lot(field: str, zh: str, en: str) -> Kde:
    return Kde(field, zh, en, lambda _, lot: getattr(lot, field) is not None)


def _other(field: str, zh: str, en: str) -> Kde:
    return Kde(f"counterparty.{field}", zh, en, lambda r, _: r.counterparty and getattr(r.counterparty, field))


def _counterparty(zh: str, en: str) -> tuple[Kde, ...]:
    return (
        _other("name", f"{zh}名称", f"{en}'s name"),
        _other("address", f"{zh}地址", f"{en}'s address"),
        _other("contact", f"{zh}联系方式", f"{en}'s contact"),
    )


def _paper(kind: str, zh: str, en: str, *, or_else: str | None = None) -> Kde:
    kinds = {kind, or_else}
    return Kde(f"documents.{kind}", zh, en, lambda r, _: any(document.kind in kinds for document in r.documents))


def _named(name: str, zh: str, en: str) -> Kde:
    return Kde(f"kdes.{name}", zh, en, lambda r, _: r.kdes.get(name))


PRODUCT = _lot("product", "名称", "product name")
SPECIFICATION = _lot("specification", "规格", "specification")
SHELF_LIFE = _lot("shelf_life_days", "保质期", "shelf life")
SLAUGHTERED = _lot("produced_on", "屠宰日期", "day of slaughter")
QUANTITY = Kde("quantity", "数量", "quantity", lambda _, lot: lot.quantity is not None or lot.quantity_text)
VEHICLE = Kde("vehicle", "车牌号", "vehicle", lambda r, _: r.vehicle)
LINE = Kde("production_line", "生产线或设备", "line or equipment", lambda r, _: r.production_line)
HEADS = Kde("inputs.quantity", "屠宰头数", "heads", lambda r, _: any(lot.unit == "HEA" for lot in r.inputs))
EAR_TAGS = Kde("inputs.ear_tags", "畜禽标识", "ear tags", lambda r, _: any(lot.ear_tags for lot in r.inputs))
INSPECTION = _paper("inspection", "检验合格证号", "inspection certificate")
QUARANTINE = _paper("quarantine", "检疫证明", "quarantine certificate")
MEAT = _paper("meat", "肉品品质检验合格证", "meat certificate")
CONFORMITY = _paper("conformity", "承诺达标合格证", "conformity certificate")
QUALITY = _paper("conformity", "承诺达标合格证或检验报告", "conformity certificate or report", or_else="inspection")
IMPORT = _paper("import", "进口单证", "import papers")
BULK_PERMIT = _paper("bulk_permit", "准运证", "bulk transport permit")
SEAL = _named("seal_no", "封签号", "seal number")
CLEANED = _named("cleaning_record", "容器清洗记录", "cleaning record of the container")
SAMPLED_BY = _named("sampled_by", "留样人员", "who took the sample")
KEPT_UNTIL = _named("kept_until", "留样至", "end of retention")
HOW = _named("destroyed_how", "销毁方式", "how it was destroyed")
WITNESS = _named("witness", "见证人", "witness")

GOODS = (PRODUCT, SPECIFICATION, QUANTITY, SHELF_LIFE)
SUPPLIER = _counterparty("供货者", "supplier")
BUYER = _counterparty("购货者", "buyer")
CUSTOMER = _counterparty("委托方或收货方", "customer")
