"""Recorded events as tables: a list of them, and one whole."""

from collections.abc import Iterator

from clients.cli.answers import Json, listing
from clients.cli.printing import local_time, print_sheet, print_table
from clients.cli.words import DECLARERS, FORMS, PAPERS, STEPS, amount, zh
from contracts import divisions

EVENT_HEADS = ("事件 event", "环节 step", "时间 time", "场所 site", "对方 counterparty", "货物 goods",
               "单号 document", "来源 source", "标记 flags")  # fmt: skip
PAPER_HEADS = ("种类 kind", "类型 form", "编号 number", "出具 issuer", "签发 issued", "有效期至 until", "数量 quantity")
FLAG_HEADS = ("规则 rule", "字段 field", "所报 value", "说明 message")
WRONG = "已声明有误 declared wrong"


def event_row(event: Json) -> tuple[str, ...]:
    """An event as a row under EVENT_HEADS."""
    return (
        event["event_id"],
        zh(STEPS, event["step"]),
        local_time(event.get("time", "")),
        event["site_name"] or event["site_id"],
        _other_side(event),
        "\n".join(_goods(event)),
        event["document"],
        event["source"],
        "\n".join((*(flag["message"].partition(" / ")[0] for flag in event["flags"]), *_wrong(event))),
    )


show_events = listing("events", "追溯记录 events", EVENT_HEADS, event_row)


def show_event(answer: Json) -> None:
    """One event: what it says, its papers and flags, what was declared about it, how complete it is."""
    event = answer["event"]
    print_sheet("追溯记录 event", _told(event) | {"完整率 completeness": f"{answer['completeness']:.0%}"})
    if event["documents"]:
        print_table("票证 papers", PAPER_HEADS, map(_paper_row, event["documents"]))
    if event["flags"]:
        print_table("标记 flags", FLAG_HEADS, map(_flag_row, event["flags"]))
    for one in answer["declarations"]:
        by = f"{zh(DECLARERS, one['declarer'])} {one['declared_by']}，{local_time(one.get('declared_time', ''))}"
        corrections = "\n".join(one["correction_ids"])
        print_sheet(WRONG, {"原因 reason": one["reason"], "声明者 by": by, "更正记录 corrections": corrections})


def _told(event: Json) -> dict[str, str]:
    tags = dict.fromkeys(tag for lot in (*event["inputs"], *event["outputs"]) for tag in lot["ear_tags"])
    goods = {"货物 goods": "\n".join(_goods(event))}
    if _transforms(event):
        goods = {"投入 inputs": _lots(event["inputs"]), "产出 outputs": _lots(event["outputs"])}
    return {
        "事件 event": event["event_id"],
        "环节 step": zh(STEPS, event["step"]),
        "时间 time": local_time(event.get("time", "")),
        "场所 site": _named(event["site_name"], event["site_id"]),
        "区划 division": divisions.path(event["division"]),
        "对方 counterparty": _named(_other_side(event), event["counterparty_site_id"]),
        **goods,
        "畜禽标识 ear tags": "、".join(tags),
        "生产线 line": event["production_line"],
        "车辆 vehicle": event["vehicle"],
        "单号 document": event["document"],
        "来源 source": "、".join((event["source"], *event["also_from"])),
        "报出 sent": local_time(event.get("sent_time", "")),
        "入链 recorded": local_time(event.get("recorded_time", "")),
    }


def _other_side(event: Json) -> str:
    outside = " (省外)" if event["counterparty_external"] else ""
    return f"{event['counterparty_name'] or event['counterparty_site_id']}{outside}"


def _named(name: str, id: str) -> str:
    return " ".join(dict.fromkeys(filter(None, (name, id))))


def _transforms(event: Json) -> bool:
    """Whether goods became others; a handover names the same ones on both sides."""
    return bool(event["inputs"] and event["outputs"]) and _lots(event["inputs"]) != _lots(event["outputs"])


def _goods(event: Json) -> Iterator[str]:
    if not _transforms(event):
        yield from map(_lot, event["inputs"] or event["outputs"])
        return
    yield from (f"投入 {_lot(lot)}" for lot in event["inputs"])
    yield from (f"产出 {_lot(lot)}" for lot in event["outputs"])


def _lots(lots: list[Json]) -> str:
    return "\n".join(map(_lot, lots))


def _lot(lot: Json) -> str:
    how_much = amount(lot["quantity"], lot["unit"]) or lot["quantity_text"]
    return " ".join(filter(None, (lot["product"], how_much, lot["batch"])))


def _wrong(event: Json) -> list[str]:
    return [WRONG] if event["declaration_id"] else []


def _flag_row(flag: Json) -> tuple[str, ...]:
    return flag["rule"], flag["field"], flag["value"], flag["message"]


def _paper_row(paper: Json) -> tuple[str, ...]:
    return (
        zh(PAPERS, paper["kind"]),
        zh(FORMS, paper["form"]),
        paper["number"],
        paper["issuer"],
        paper["issued_on"],
        paper["valid_until"],
        amount(paper["quantity"], paper["unit"]),
    )
