"""The words of legacy senders.

They write field names in English, in Chinese or in pinyin. One table says which words mean the same: the first
column is the documented name, the second its Chinese title; a model of `contracts.wire` just declares its fields.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from contracts.fields import optional_text

E = TypeVar("E", bound=StrEnum)

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "address": ("地址", "dizhi", "联系地址", "经营地址"),
    "batch_no": ("批号", "pihao", "批次号", "picihao", "生产批号"),
    "buyer": ("买方", "maifang", "购货者", "采购商"),
    "category": ("类别", "leibie", "商品类别", "食品类别"),
    "certificates": ("证明", "zhengming", "随附证明", "票证"),
    "cleaning_record": ("清洗记录", "qingxijilu", "容器清洗记录"),
    "consignee": ("收货方", "shouhuofang", "收货单位", "配送对象"),
    "contact": ("联系人", "lianxiren", "lxr"),
    "corrections": ("更正记录", "gengzhengjilu", "更正事件编号"),
    "counterparty": ("对方", "duifang", "交易对方"),
    "delivery_no": ("送货单号", "songhuodanhao", "发货单号"),
    "destroyed_how": ("销毁方式", "xiaohuifangshi", "处理方式"),
    "diners": ("就餐人数", "jiucanrenshu"),
    "division": ("行政区划", "xzqh", "区划代码", "xingzhengquhua"),
    "document_no": ("单号", "danhao", "票号", "piaohao", "单据编号", "一票通编号"),
    "ear_tag": ("耳标号", "erbiaohao", "畜禽标识"),
    "ear_tags": ("耳标号列表", "erbiaohaoliebiao", "耳标清单"),
    "event_id": ("事件编号", "shijianbianhao"),
    "form": ("检疫证类型", "jianyizhengleixing", "证明类型"),
    "gtin": ("商品条码", "tiaoma", "条码"),
    "id": ("编号", "bianhao", "摊位号", "tanweihao", "主体编号", "单位编号"),
    "id_number": ("身份证号", "sfzh", "shenfenzhenghao"),
    "in_batch": ("入库批号", "rukupihao", "进货批次", "自编批号"),
    "inputs": ("投入", "touru", "原料", "yuanliao", "食材", "shicai", "raws"),
    "inspector": ("验收人", "yanshouren", "查验人"),
    "issued_on": ("签发日期", "qianfariqi", "开具日期", "出具日期"),
    "issuer": ("出具单位", "chujudanwei", "签发单位"),
    "item": ("检测项目", "jiancexiangmu", "项目"),
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
    "method": ("检测方法", "jiancefangfa"),
    "name": ("名称", "mingcheng", "主体名称", "单位名称", "姓名", "xingming"),
    "number": ("证明编号", "zhengmingbianhao", "证号", "zhenghao"),
    "operator": ("经营者", "jingyingzhe", "经营主体"),
    "origin": ("产地", "chandi"),
    "outputs": ("产出", "chanchu", "成品"),
    "phone": ("联系电话", "lianxidianhua", "电话", "dianhua", "shouji", "手机"),
    "produced_on": ("生产日期", "shengchanriqi", "scrq", "production_date"),
    "product": ("品名", "pinming", "商品名称", "食品名称", "菜名", "shangpin"),
    "production_line": ("生产线", "shengchanxian", "加工线", "设备"),
    "qualified": ("检测结论", "jiancejielun", "结论", "检测结果", "jiancejieguo", "是否合格"),
    "quantity": ("数量", "shuliang", "sl", "重量", "zhongliang"),
    "reason": ("原因", "yuanyin", "退货原因", "更正原因"),
    "receiver": ("收货人", "shouhuoren", "接收方", "jieshoufang"),
    "region": ("来源地域", "laiyuandiyu", "地域"),
    "sampled_by": ("留样人", "liuyangren", "留样人员"),
    "seal_no": ("封签号", "fengqianhao", "铅封号"),
    "shelf_life": ("保质期", "baozhiqi", "bzq"),
    "shipper": ("发货方", "fahuofang", "发货单位"),
    "site": ("场所", "changsuo", "食堂", "shitang", "用餐单位", "配送单位", "danwei"),
    "specification": ("规格", "guige", "gg"),
    "stall": ("摊位", "tanwei", "摊主"),
    "step": ("步骤", "buzhou", "操作环节", "caozuo"),
    "supplier": ("供货者", "gonghuozhe", "供货商", "供应商", "gongyingshang"),
    "tester": ("检测人", "jianceren", "检测员"),
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
        "检测时间",
    ),
    "trace_code": ("追溯码", "zhuisuma"),
    "unit": ("计量单位", "jiliangdanwei", "单位", "dw"),
    "unit_kind": ("单位类型", "danweileixing", "餐饮类型", "yetai", "业态"),
    "uscc": ("统一社会信用代码", "tyshxydm", "信用代码", "xinyongdaima"),
    "valid_until": ("有效期至", "youxiaoqizhi", "证明有效期"),
    "value": ("检测值", "jiancezhi", "抑制率", "yizhilv"),
    "vehicle": ("车牌号", "chepaihao", "车牌", "chepai"),
    "witness": ("见证人", "jianzhengren", "监销人"),
}
"""Documented name: its title, and the other words senders use for it."""

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


def meant(kind: type[E], table: Mapping[str, E], value: Any) -> E | None:
    """A value of `kind` by its own name, or by the first word of the table that the sender's text contains."""
    given = optional_text(value) or ""
    if given.lower() in set(kind):
        return kind(given.lower())
    return next((meaning for word, meaning in table.items() if word in given), None)
