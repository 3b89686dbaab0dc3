"""What the legacy formats share: their words, and the parts their messages are made of.

Senders write field names in English, in Chinese or in pinyin. One table says which words mean the same: the
first column is the documented name, the second its title; a model just declares its fields.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import AliasChoices, AliasGenerator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from contracts.fields import CategoryText, DateText, LocalTime, Number, Text, ValidUntil, optional_text
from contracts.model import Contract
from contracts.trace import Category, Link

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "address": ("地址", "dizhi", "联系地址", "经营地址"),
    "batch_no": ("批号", "pihao", "批次号", "picihao", "生产批号"),
    "buyer": ("买方", "maifang", "购货者", "采购商"),
    "category": ("类别", "leibie", "商品类别", "食品类别"),
    "certificates": ("证明", "zhengming", "随附证明", "票证"),
    "consignee": ("收货方", "shouhuofang", "收货单位", "配送对象"),
    "contact": ("联系人", "lianxiren", "lxr"),
    "counterparty": ("对方", "duifang", "交易对方"),
    "delivery_no": ("送货单号", "songhuodanhao", "发货单号"),
    "diners": ("就餐人数", "jiucanrenshu"),
    "division": ("行政区划", "xzqh", "区划代码", "xingzhengquhua"),
    "document_no": ("单号", "danhao", "票号", "piaohao", "单据编号", "一票通编号"),
    "gtin": ("商品条码", "tiaoma", "条码"),
    "id": ("编号", "bianhao", "摊位号", "tanweihao", "主体编号", "单位编号"),
    "id_number": ("身份证号", "sfzh", "shenfenzhenghao"),
    "in_batch": ("入库批号", "rukupihao", "进货批次", "自编批号"),
    "inputs": ("投入", "touru", "原料", "yuanliao", "食材", "shicai", "raws"),
    "inspector": ("验收人", "yanshouren", "查验人"),
    "issuer": ("出具单位", "chujudanwei", "签发单位"),
    "kdes": ("其他要素", "qitayaosu"),
    "kept_until": ("留样至", "liuyangzhi", "留样截止时间"),
    "kind": ("证明种类", "zhengmingzhonglei", "种类", "zhonglei"),
    "licence_valid_until": ("许可证有效期至", "xkzyxqz", "有效期至"),
    "licence": ("许可证编号", "xkzbh", "许可证号", "xukezheng", "license"),
    "lines": (
        "明细",
        "mingxi",
        "商品明细",
        "operators",
        "stalls",
        "units",
        "dishes",
        "records",
        "主体",
        "菜品",
    ),
    "link": ("环节", "huanjie"),
    "local_number": ("场所序号", "changsuoxuhao", "门店序号"),
    "market": ("市场", "shichang", "开办者"),
    "meal": ("餐次", "canci"),
    "name": ("名称", "mingcheng", "主体名称", "单位名称", "姓名", "xingming"),
    "number": ("证明编号", "zhengmingbianhao", "证号", "zhenghao"),
    "operator": ("经营者", "jingyingzhe", "经营主体"),
    "origin": ("产地", "chandi"),
    "outputs": ("产出", "chanchu", "成品"),
    "phone": ("联系电话", "lianxidianhua", "电话", "dianhua", "shouji", "手机"),
    "produced_on": ("生产日期", "shengchanriqi", "scrq", "production_date"),
    "product": ("品名", "pinming", "商品名称", "食品名称", "菜名", "shangpin"),
    "quantity": ("数量", "shuliang", "sl", "重量", "zhongliang"),
    "reason": ("原因", "yuanyin", "退货原因"),
    "receiver": ("收货人", "shouhuoren", "接收方", "jieshoufang"),
    "region": ("来源地域", "laiyuandiyu", "地域"),
    "sampled_by": ("留样人", "liuyangren", "留样人员"),
    "shelf_life": ("保质期", "baozhiqi", "bzq"),
    "shipper": ("发货方", "fahuofang", "发货单位"),
    "site": ("场所", "changsuo", "食堂", "shitang", "用餐单位", "配送单位", "danwei"),
    "specification": ("规格", "guige", "gg"),
    "stall": ("摊位", "tanwei", "摊主"),
    "step": ("步骤", "buzhou", "操作环节", "caozuo"),
    "supplier": ("供货者", "gonghuozhe", "供货商", "供应商", "gongyingshang"),
    "time": (
        "时间",
        "shijian",
        "进场时间",
        "销售时间",
        "发货时间",
        "收货时间",
        "验收时间",
        "加工时间",
        "留样时间",
    ),
    "trace_code": ("追溯码", "zhuisuma"),
    "unit": ("计量单位", "jiliangdanwei", "单位", "dw"),
    "unit_kind": ("单位类型", "danweileixing", "餐饮类型", "yetai", "业态"),
    "uscc": ("统一社会信用代码", "tyshxydm", "信用代码", "xinyongdaima"),
    "valid_until": ("有效期至", "youxiaoqizhi", "证明有效期"),
    "vehicle": ("车牌号", "chepaihao", "车牌", "chepai"),
}
"""Documented name: its title, and the other words senders use for it."""

T = TypeVar("T")
MAX_LINES: Final = 1000
Lines = Annotated[tuple[T, ...], Field(min_length=1, max_length=MAX_LINES)]
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


def word_in(table: Mapping[str, T], value: Any) -> T | None:
    """What the table says of the first of its words that the value contains."""
    given = optional_text(value) or ""
    return next((meaning for word, meaning in table.items() if word in given), None)


def _link(value: Any) -> Link | None:
    return Link(value) if value in set(Link) else word_in(_LINK_WORDS, value)


LinkText = Annotated[Link | None, BeforeValidator(_link), WithJsonSchema({"type": "string"})]

ABSENT: Final = frozenset({"", "-", "—", "/", "无", "null", "NULL"})
"""What senders put where they have nothing to say."""


def words(name: str) -> tuple[str, ...]:
    """Every word for a field, the documented one first."""
    return (name, *WORDS.get(name, ()))


def present(part: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say something."""
    return {name: value for name, value in part.items() if not _is_absent(value)}


def _is_absent(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in ABSENT)


class Wire(Contract):
    """A part of a legacy message: any of its `WORDS` name a field, and a blank value is an absent one."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=lambda name: AliasChoices(*words(name))),
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


class OperatorIn(PartyIn):
    """A site whose link of the chain the source knows."""

    link: LinkText = Field(None, description="生产, 流通, 餐饮 or 特食")


class CertificateIn(Wire):
    """A paper that travels with the goods: 承诺达标合格证, 检验报告, 检疫证明, 进口单证."""

    kind: Text | None = None
    number: Text | None = None
    issuer: Text | None = None
    valid_until: ValidUntil = None


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
    vehicle: Text | None = None
    certificates: Parts[CertificateIn] = Field((), description="Papers for all lines")
