"""Stock, simulations and recalls as tables."""

from collections.abc import Iterable, Iterator
from typing import Final

import typer

from clients.cli.answers import Json, in_turn, listing
from clients.cli.printing import local_time, print_table
from clients.cli.words import DOUBTS, FATES, GAPS, LEVELS_OF_RECALL, RECALLED, amount, zh
from contracts import divisions

STOCK_HEADS = ("批次 batch", "场所 site", "品名 product", "存量 stock", "其中在途 in transit", "自 since", "原因 why")
TOTAL_HEADS = ("去向 fate", "场所数 sites", "数量 quantity", "未计入 not summed")
COVERAGE_HEADS = (
    "批次 batch",
    "品名 product",
    "召回 recalled",
    "产出 produced",
    "已定位 located",
    "占比 share",
    "存疑 doubts",
)
DIVISION_HEADS = ("区划 division", "主体 operator", "场所 sites", "联系 contact", "有货 has goods")
PORTION_HEADS = ("批次 batch", "场所 site", "去向 fate", "数量 quantity", "制成 into", "原因 why")
HANDOVER_HEADS = ("批次 batch", "自 from", "至 to", "数量 quantity")
GAP_HEADS = ("断点 gap", "场所 site", "批次 batch")
RECALL_HEADS = ("召回 recall", "状态 state", "级别 class", "品名 product", "批次 batches", "原因 reason", "发布 issuer",
                "启动 opened", "应完成 finish by", "版本 version", "场所数 sites")  # fmt: skip
VERSION_HEADS = (
    "版本 version",
    "时间 time",
    "新增场所 added",
    "数量变更 changed",
    "场所数 sites",
    "占比 share",
    "新增 which",
)

MOST_NAMED: Final = 20
"""Sites named of a version; `--format json` has all."""


def quantity(told: Json) -> str:
    """An amount as people write it; `不明` where it is not known."""
    return amount(told["quantity"], told["unit"]) if told else "不明"


def _stock_row(one: Json) -> tuple[str, ...]:
    node = one["node"]
    return (
        node["batch"],
        node["site_name"] or node["site_id"],
        node["product"],
        quantity(one.get("amount", {})),
        quantity(one["in_transit"]) if _some(one.get("in_transit")) else "",
        local_time(one.get("since", "")),
        zh(DOUBTS, one["why"]),
    )


def _some(told: Json | None) -> bool:
    return bool(told) and told is not None and told["quantity"] not in ("", "0")


SHOW_STOCK = listing("stock", "库存 stock", STOCK_HEADS, _stock_row)


def share(told: Json) -> str:
    """A share in percent; `不明` where it is not known."""
    return f"{told['share'] * 100:.1f}%" if "share" in told else "不明"


def show_simulation(answer: Json) -> None:
    """Totals, coverage, whom to notify by division, then where each part is and how it came there."""
    found = answer["simulation"]
    names = _names(found["nodes"])
    head = f"召回模拟 {'、'.join(found['batches'])}：场所 {found['sites']} 个，已定位 {share(found)}"
    print_table(head, TOTAL_HEADS, map(_total_row, found["totals"]))
    print_table("覆盖 coverage", COVERAGE_HEADS, map(_coverage_row, found["coverages"]))
    print_table("应通知的主体 to notify", DIVISION_HEADS, _division_rows(found["divisions"]))
    print_table("各处货物 portions", PORTION_HEADS, (_portion_row(each, names) for each in found["portions"]))
    print_table("流向 handovers", HANDOVER_HEADS, (_handover_row(each, names) for each in found["handovers"]))
    if found["gaps"]:
        print_table("断点 gaps", GAP_HEADS, (_gap_row(each, names) for each in found["gaps"]))
    if not all("amount" in each for each in (*found["portions"], *found["handovers"])):
        typer.echo("不明：数量未报，或不在本人辖区 not told, or not of one's own division")
    if found["hidden_sites"]:
        typer.echo(
            f"另有场所 {found['hidden_sites']} 个、主体 {found['hidden_operators']} 个不在可见范围 beyond your view"
        )
    typer.echo("链条完整 complete" if found["complete"] else "链条不完整 incomplete")


def _under_way(answer: Json) -> None:
    if others := answer["open_recall_ids"]:
        typer.echo(f"这些批次已有召回进行中 already under recall: {'、'.join(others)}")


def _names(nodes: Iterable[Json]) -> dict[str, str]:
    """Of sites, by their ids."""
    return {node["site_id"]: node["site_name"] or node["site_id"] for node in nodes}


def _total_row(total: Json) -> tuple[str, ...]:
    sums = "、".join(map(quantity, total["amounts"]))
    return zh(FATES, total["fate"]), str(total["sites"]), sums, str(total["unsummed"] or "")


def _coverage_row(one: Json) -> tuple[str, ...]:
    doubts = dict.fromkeys(zh(DOUBTS, each["why"]) for each in one["doubts"])
    return (
        one["batch"],
        one["product"],
        "是" if one["recalled"] else "制成品",
        quantity(one.get("produced", {})),
        quantity(one.get("located", {})),
        share(one),
        "、".join(doubts),
    )


def _division_rows(parts: list[Json]) -> Iterator[tuple[str, ...]]:
    for part in parts:
        for operator in part["operators"]:
            yield (
                divisions.path(part["division"]) or "未知",
                operator["operator_name"] or operator["operator_id"],
                "\n".join(filter(None, operator["site_names"])) or "\n".join(operator["site_ids"]),
                operator["contact"],
                "是" if operator["has_goods"] else "",
            )


def _portion_row(one: Json, names: dict[str, str]) -> tuple[str, ...]:
    node = one["node"]
    into = "\n".join(one["into"])
    held = quantity(one.get("amount", {}))
    return node["batch"], names[node["site_id"]], zh(FATES, one["fate"]), held, into, zh(DOUBTS, one["why"])


def _handover_row(one: Json, names: dict[str, str]) -> tuple[str, ...]:
    tail, head = one["from"], one["to"]
    return tail["batch"], names[tail["site_id"]], names[head["site_id"]], quantity(one.get("amount", {}))


def _gap_row(one: Json, names: dict[str, str]) -> tuple[str, ...]:
    site = one["node"]["site_id"]
    return zh(GAPS, one["kind"]), names.get(site, site), one["node"]["batch"]


def _recall_row(recall: Json) -> tuple[str, ...]:
    late = "(逾期)" if recall["overdue"] else "(暂定)" if recall["provisional"] else ""
    return (
        recall["recall_id"],
        "\n".join(filter(None, (zh(RECALLED, recall["state"]), *_ended(recall)))),
        zh(LEVELS_OF_RECALL, str(recall["recall_class"])),
        recall["product"],
        "\n".join(recall["batches"]),
        recall["reason"],
        recall["issuer"],
        local_time(recall["opened_time"]) + ("(迟)" if recall["started_late"] else ""),
        local_time(recall["finish_by"]) + late,
        str(recall["version"]),
        str(recall["sites"]),
    )


def _ended(recall: Json) -> tuple[str, str]:
    """When and why, of one that is closed."""
    return local_time(recall.get("closed_time", "")), recall["closed_reason"]


def _version_row(one: Json, names: dict[str, str]) -> tuple[str, ...]:
    named = [names.get(site, site) for site in one["site_ids"][:MOST_NAMED]]
    more = ["…"] if len(one["site_ids"]) > MOST_NAMED else []
    return (
        str(one["version"]),
        local_time(one["at_time"]),
        str(one["sites_added"]),
        str(one["sites_changed"]),
        str(one["sites"]),
        share(one),
        "\n".join([*named, *more]),
    )


def _versions(answer: Json) -> None:
    names = _names(answer.get("simulation", {}).get("nodes", ()))
    rows = (_version_row(one, names) for one in answer["recall"]["versions"])
    print_table("版本 versions", VERSION_HEADS, rows)


PROGRESS_HEADS = ("区划 division", "监管所 station", "场所数 sites", "已确认 confirmed", "有问题 problems",
                  "已撤销 withdrawn")  # fmt: skip


def _part_row(part: Json) -> tuple[str, ...]:
    counts = (str(part[name]) for name in ("tasks", "confirmed", "problems", "withdrawn"))
    return divisions.path(part["division"]) or "未知", part["station"], *counts


SHOW_PROGRESS = listing("parts", "召回核查进度 progress", PROGRESS_HEADS, _part_row)
SHOW_RECALLS = listing("recalls", "召回 recalls", RECALL_HEADS, _recall_row)
SHOW_RECALL = in_turn(listing("recall", "召回 recall", RECALL_HEADS, _recall_row), _versions)
SHOW_FROZEN = in_turn(SHOW_RECALL, show_simulation)
SHOW_SIMULATED = in_turn(show_simulation, _under_way)
SHOW_OPENED = in_turn(SHOW_RECALL, _under_way)
SHOW_CLOSED = listing("recall", "召回 recall", RECALL_HEADS, _recall_row)
