"""Operators, sites and changes of the registry as tables."""

from clients.cli.answers import Json, listing
from clients.cli.printing import local_time
from clients.cli.words import CATEGORIES, CHANGES, LINKS, STATES, zh
from contracts import divisions

OPERATOR_HEADS = ("主体 operator", "名称 name", "信用代码 uscc", "状态 state", "场所 sites", "区划 division",
                  "标记 flags")  # fmt: skip
SITE_HEADS = ("场所 site", "名称 name", "主体 operator", "状态 state", "许可证 licence", "区划 division", "环节 link",
              "10+3 obligations", "网格 cell", "联系人 contact", "停业 closed")  # fmt: skip
CHANGE_HEADS = ("时间 time", "事项 change", "谁 who", "角色 role", "原因 why", "主体 operator", "场所 site",
                "网格 cell", "详情 detail")  # fmt: skip


def operator_row(operator: Json) -> tuple[str, ...]:
    """An operator as a row under OPERATOR_HEADS."""
    return (
        operator["operator_id"],
        operator["name"],
        operator["uscc"],
        zh(STATES, operator["state"]),
        str(len(operator["sites"])),
        "\n".join(dict.fromkeys(divisions.path(site["division"]) for site in operator["sites"])),
        "\n".join(flag["rule"] for flag in operator["flags"]),
    )


def _site_row(site: Json) -> tuple[str, ...]:
    closed = f"{local_time(site.get('closed_from', ''))} – {local_time(site.get('closed_until', ''))}"
    return (
        site["site_id"],
        site["name"],
        site["operator_id"],
        zh(STATES, site["state"]),
        site["licence"],
        divisions.path(site["division"]),
        zh(LINKS, site["link"]),
        "、".join(zh(CATEGORIES, category) for category in site["obligations"]),
        site["cell_id"],
        site["helper"],
        closed if "closed_from" in site else "",
    )


def _facts_row(facts: Json) -> tuple[str, ...]:
    return _site_row(facts["site"])


def _change_row(change: Json) -> tuple[str, ...]:
    return (
        local_time(change.get("time", "")),
        zh(CHANGES, change["kind"]),
        change["who"],
        change["role"],
        change["why"],
        change["operator_id"],
        change["site_id"],
        change["cell_id"],
        "\n".join(f"{name}: {value}" for name, value in change["detail"].items()),
    )


SHOW_OPERATOR = listing("operator", "主体 operator", OPERATOR_HEADS, operator_row)
SHOW_SITE = listing("site", "场所 site", SITE_HEADS, _site_row)
SHOW_SITES = listing("sites", "场所 sites", SITE_HEADS, _site_row)
SHOW_FACTS = listing("sites", "场所 sites", SITE_HEADS, _facts_row)
SHOW_CHANGES = listing("changes", "变更记录 changes", CHANGE_HEADS, _change_row)
