"""What the legacy formats share: the parts their messages are made of."""

from typing import Annotated, Any, Final, TypeVar

from pydantic import AliasChoices, AliasGenerator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from contracts.fields import CategoryText, Certified, DateText, LocalTime, Number, Plate, Text, ValidUntil
from contracts.model import Contract
from contracts.trace import Category, Link
from contracts.words import WORDS, meant, present, words

T = TypeVar("T")
MAX_LINES: Final = 1000
Lines = Annotated[tuple[T, ...], Field(max_length=MAX_LINES, json_schema_extra={"minItems": 1})]
"""Lines of a message: each is one record."""

Parts = Annotated[tuple[T, ...], Field(max_length=500)]
"""Parts of one record: more than any real paper has, few enough that a record stays a document."""

_LINK_WORDS: Final = {
    "生产": Link.PRODUCTION,
    "种植": Link.PRODUCTION,
    "养殖": Link.PRODUCTION,
    "流通": Link.CIRCULATION,
    "销售": Link.CIRCULATION,
    "经营": Link.CIRCULATION,
    "餐饮": Link.CATERING,
    "特食": Link.SPECIAL_FOOD,
    "特殊食品": Link.SPECIAL_FOOD,
}


def _link(value: Any) -> Link | None:
    return meant(Link, _LINK_WORDS, value)


LinkText = Annotated[Link | None, BeforeValidator(_link), WithJsonSchema({"type": "string"})]


def _tell_names(schema: dict[str, Any]) -> None:
    for name, described in schema.get("properties", {}).items():
        described["x-also"] = list(WORDS[name])


class Wire(Contract):
    """A part of a legacy message: any of its `WORDS` name a field, and a blank value is an absent one."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=lambda name: AliasChoices(*words(name))),
        json_schema_extra=_tell_names,
        field_title_generator=lambda name, _: WORDS.get(name, (name,))[0],
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_absent(cls, data: Any) -> Any:
        return present(data) if isinstance(data, dict) else data


class PartyIn(Wire):
    """A site and who answers for it; licence, USCC, ID number or the source's own `id` tells it apart."""

    id: Text | None = Field(None, description="The source's own id of the site, such as a stall number")
    name: Text | None = None
    licence: Text | None = Field(None, description="Production licence SC…, business licence JY…, or a filing number")
    uscc: Text | None = Field(None, description="Unified social credit code, 18 characters (GB 32100-2015)")
    licence_valid_until: ValidUntil = None
    local_number: Text | None = Field(None, description="Tells apart the sites of one operator, with its USCC")
    id_number: Text | None = Field(None, description="ID number of an individual who has no USCC")
    address: Text | None = None
    contact: Text | None = None
    phone: Text | None = None
    division: Text | None = Field(None, description="GB/T 2260 code, six digits or more")
    region: Text | None = Field(None, description="省内, 省外 or 境外")

    def __bool__(self) -> bool:
        """Whether it says anything at all."""
        return bool(self.model_fields_set)


class OperatorIn(PartyIn):
    """A site whose link of the chain the source knows."""

    link: LinkText = Field(None, description="生产, 流通, 餐饮 or 特食")


class CertificateIn(Wire):
    """A paper that travels with the goods: 承诺达标合格证, 检验报告, 检疫证明, 肉品品质检验合格证, 进口单证, 准运证."""

    kind: Text | None = None
    number: Text | None = None
    form: Text | None = Field(None, description="Of a quarantine certificate: 动物A, 产品A, 动物B or 产品B")
    issuer: Text | None = None
    issued_on: ValidUntil = Field(None, description="The day it was issued")
    valid_until: ValidUntil = None
    quantity: Certified = Field(None, description="How much of the goods it certifies")
    unit: Text | None = None


class GoodsIn(Wire):
    """Goods of one batch (law 50, 53, 65). `trace_code`, or `batch_no` as its issuer wrote it, names the batch."""

    product: Text | None = None
    category: CategoryText = Field(Category.OTHER, description="One of the ten categories of the 10+3, in Chinese")
    specification: Text | None = None
    quantity: Number | None = None
    unit: Text | None = None
    batch_no: Text | None = None
    trace_code: Text | None = Field(None, description="The platform's code of the batch, if known")
    gtin: Text | None = None
    produced_on: DateText = None
    shelf_life: Text | None = Field(None, description="Days, or a text such as 12个月")
    certificates: Parts[CertificateIn] = ()


class ReceivedIn(GoodsIn):
    """Goods taken in; `batch_no` is the supplier's."""

    in_batch: Text | None = Field(None, description="The batch code the receiver gives the goods, if its own")
    origin: Text | None = None


class Ticket(Wire):
    """A paper with a head and lines; every line is one record."""

    document_no: Text | None = Field(None, description="Number of the paper; the same paper from two apps is one event")
    time: LocalTime = Field(description="When it happened; no zone means Asia/Shanghai")
    vehicle: Plate | None = None
    certificates: Parts[CertificateIn] = Field((), description="Papers for all lines")
