"""Tables of `shilian trace common|contamination|dishes`."""

from collections.abc import Callable, Iterator
from typing import Any

import typer

from clients.cli.answers import Json, in_turn
from clients.cli.chain_printing import print_gaps
from clients.cli.printing import local_time, print_table
from clients.cli.words import STEPS, UNJUDGED, amount, zh
from contracts import divisions

SUSPECT_HEADS = (
    "场所 site",
    "批次 batch",
    "品名 product",
    "得分 score",
    "解释 explains",
    "距离 distance",
    "区划 division",
)
LINE_HEADS = ("场所 site", "生产线 line", "自 from", "清场 cleaned", "批次 batch", "品名 product", "环节 step",
              "时间 time", "事件 event")  # fmt: skip
UNJUDGED_HEADS = ("事件 event", "原因 reason", "场所 site", "环节 step", "时间 time", "批次 batches")
NODE_HEADS = ("场所 site", "批次 batch", "品名 product", "区划 division")
DISH_HEADS = ("场所 site", "菜品 dish", "批次 batch", "数量 quantity", "时间 time", "用料 ingredients", "区划 division")


def _suspects(key: str, title: str) -> Callable[[Json], None]:
    def show(answer: Json) -> None:
        found, total = answer[key], answer[f"total_{key}"]
        print_table(f"{title}：{len(found)}/{total}", SUSPECT_HEADS, map(_suspect_row, found))

    return show


def _suspect_row(suspect: Json) -> tuple[str, ...]:
    node = suspect["node"]
    return (
        node["site_name"] or node["site_id"],
        node["batch"],
        node["product"],
        f"{suspect['score']:.3f}",
        "\n".join(suspect["explains"]),
        str(suspect["distance"]),
        divisions.path(node["division"]),
    )


def _show_lines(answer: Json) -> None:
    rows = [row for line in answer["lines"] for row in _line_rows(line)]
    print_table("生产线 lines", LINE_HEADS, rows)


def _line_rows(line: Json) -> Iterator[tuple[str, ...]]:
    """A row for each batch that may be contaminated, or one for a line where there is none."""
    cleaned = local_time(line.get("cleaned_time", "")) or "未清场 not cleaned"
    lead = (line["site_name"] or line["site_id"], line["production_line"], local_time(line["from_time"]), cleaned)
    for one in line["contaminated"]:
        row = (one["node"]["batch"], one["product"], zh(STEPS, one["step"]), local_time(one["time"]), one["event_id"])
        yield (*lead, *row)
    if not line["contaminated"]:
        yield (*lead, "无 none", "", "", "", "")


def _show_unjudged(answer: Json) -> None:
    if answer["not_judged"]:
        print_table("未能判断 not judged", UNJUDGED_HEADS, map(_unjudged_row, answer["not_judged"]))


def _unjudged_row(one: Json) -> tuple[str, ...]:
    return (
        one["event_id"],
        zh(UNJUDGED, one["reason"]),
        one["site_name"] or one["site_id"],
        zh(STEPS, one["step"]),
        local_time(one.get("time", "")),
        "\n".join(one["batches"]),
    )


def _show_nodes(answer: Json) -> None:
    print_table("去向 forward", NODE_HEADS, map(_node_row, answer["nodes"]))


def _node_row(node: Json) -> tuple[str, ...]:
    return (
        node["site_name"] or node["site_id"],
        node["batch"],
        node["product"],
        divisions.path(node["division"]),
    )


def _show_dishes(answer: Json) -> None:
    print_table(f"{answer['day']} 的菜品 dishes", DISH_HEADS, map(_dish_row, answer["dishes"]))


def _dish_row(dish: Json) -> tuple[str, ...]:
    node = dish["node"]
    return (
        node["site_name"] or node["site_id"],
        node["product"],
        node["batch"],
        amount(dish["quantity"], dish["unit"]),
        local_time(dish["time"]),
        "\n".join(dish["ingredients"]),
        divisions.path(node["division"]),
    )


def _show_gaps(answer: Json) -> None:
    """Gaps name a site by its id where the answer has no node of it."""
    nodes: list[dict[str, Any]] = [node | {"site": node["site_id"]} for node in _nodes_of(answer)]
    if answer.get("not_judged") and not answer["gaps"]:
        typer.echo("有记录未能判断，结果可能不全 not all could be judged")
        return
    gaps = [gap | {"node": gap["node"] | {"site": gap["node"]["site_id"]}} for gap in answer["gaps"]]
    print_gaps({"nodes": nodes, "gaps": gaps, "complete": answer["complete"]})


def _nodes_of(answer: Json) -> Iterator[Json]:
    for one in (*answer.get("nodes", ()), *answer.get("sites", ()), *answer.get("dishes", ())):
        yield one.get("node", one)


SHOW_COMMON = in_turn(
    _suspects("nodes", "共同来源批次 common sources"), _suspects("sites", "共同来源场所 common sites"), _show_gaps
)
SHOW_CONTAMINATION = in_turn(_show_lines, _show_unjudged, _show_nodes, _show_gaps)
SHOW_DISHES = in_turn(_show_dishes, _show_gaps)
