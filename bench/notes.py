"""The events of the ingest benchmarks: delivery notes of the one-network app, as its adapter hands them to trace."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any, Final

from contracts import codes
from contracts.envelope import Envelope
from contracts.registry import OperatorState, SiteFacts
from contracts.trace import CaptureV1, Link, Record, Step
from services.adapters.adapt import adapt
from services.adapters.one_network.formats import FORMATS

SOURCE: Final = "one_network"
TYPE: Final = "one_network.delivery_note.v1"
LINES: Final = 20
"""Lines on one note; each is an event."""

SHIPPERS, CONSIGNEES = 40, 120
SHIPPED: Final = datetime(2026, 1, 5, 22, 30, tzinfo=UTC)
SENT: Final = SHIPPED + timedelta(hours=1)
A_DAY: Final = 2_000
"""Notes of one day: four to a vehicle. A load that lasts goes on through the days, as deliveries do."""

GOODS: Final = (("大白菜", "蔬菜"), ("胡萝卜", "蔬菜"), ("苹果", "水果"), ("土豆", "蔬菜"), ("鲜牛奶", "乳制品"))


def records(number: int, first: int = 0) -> list[Record]:
    """So many events from a number on (a multiple of `LINES`), all different, without a fault or a flag."""
    return list(islice(_from(first // LINES), number))


def receipts(shipments: Sequence[Record]) -> list[Record]:
    """The other halves: the same goods taken in soon after by whom they were shipped to."""
    return [
        shipment.model_copy(
            update={
                "id": f"{shipment.id}.in",
                "message_id": f"{shipment.message_id}.in",
                "step": Step.RECEIVING,
                "time": shipment.time + timedelta(minutes=20),
                "site": shipment.counterparty,
                "counterparty": shipment.site,
                "vehicle": None,
            }
        )
        for shipment in shipments
    ]


def bodies(events: Sequence[Record], per_message: int = 1) -> list[bytes]:
    """The events as bodies of `trace.capture.v1`."""
    bundles = (tuple(events[at : at + per_message]) for at in range(0, len(events), per_message))
    return [CaptureV1(records=bundle).model_dump_json(exclude_defaults=True).encode() for bundle in bundles]


def sites() -> list[SiteFacts]:
    """What the registry tells of every site on the notes: all activated, none with an app that takes proposals."""
    parties = [*map(shipper, range(SHIPPERS)), *map(consignee, range(CONSIGNEES))]
    return [_facts(party) for party in parties]


def _from(first: int) -> Iterator[Record]:
    for number in count(first + 1):
        sent = SENT + timedelta(days=number // A_DAY)
        envelope = Envelope.new(TYPE, SOURCE, id=f"note-{number}", time=sent)
        adapted = adapt(FORMATS, envelope, json.dumps(_note(number)).encode(), SOURCE, sent)
        yield from adapted.records


def _note(number: int) -> dict[str, Any]:
    sender = shipper(number % SHIPPERS)
    return {
        "document_no": f"SH-20260106-{number:06}",
        "time": (SHIPPED + timedelta(days=number // A_DAY, seconds=number % 1800)).isoformat(),
        "shipper": sender,
        "consignee": consignee(number % CONSIGNEES),
        "vehicle": f"鲁A{10_000 + number % 500}",
        "certificates": [
            {"kind": "承诺达标合格证", "number": f"CN370181{number:09}", "issuer": sender["name"]},
            {"kind": "检验报告", "number": f"JY{number:09}", "issuer": "济南市食品检验所"},
        ],
        "lines": [_line(number, line) for line in range(1, LINES + 1)],
    }


def _line(number: int, line: int) -> dict[str, Any]:
    product, category = GOODS[line % len(GOODS)]
    return {
        "product": product,
        "category": category,
        "specification": "10公斤/箱",
        "quantity": str(50 + line * 10),
        "unit": "公斤",
        "batch_no": f"LY0105-{number}-{line}",
        "produced_on": "2026-01-05",
        "shelf_life": "7天",
    }


def shipper(number: int) -> dict[str, str]:
    """Who sends the goods, as the app names it."""
    return {
        "name": f"章丘绿源蔬菜专业合作社{number}",
        "uscc": _uscc(number),
        "address": f"济南市章丘区刁镇{number}号",
        "contact": "李建国",
        "phone": "13800000001",
        "division": "370114",
        "link": "生产",
    }


def consignee(number: int) -> dict[str, str]:
    """Who gets the goods, as the app names it."""
    first = f"13701050{number:05}"
    return {
        "name": f"王记蔬菜批发{number}",
        "licence": f"JY{first}{codes.licence_check_digit(first)}",
        "uscc": _uscc(1_000 + number),
        "division": "370105",
        "address": f"匡山市场蔬菜区 A-{number}",
        "contact": "王芳",
        "phone": "13800000003",
    }


def _uscc(number: int) -> str:
    organisation = f"MA3C{number:04}"
    first = f"91370181{organisation}{codes.organisation_check_digit(organisation)}"
    return first + codes.uscc_check_digit(first)


def _facts(party: dict[str, str]) -> SiteFacts:
    uscc, licence = f"uscc:{party['uscc']}", party.get("licence")
    return SiteFacts(
        site=f"licence:{licence}" if licence else uscc,
        operator=uscc,
        name=party["name"],
        operator_name=party["name"],
        state=OperatorState.ACTIVATED,
        division=party["division"],
        link=Link.CIRCULATION if licence else Link.PRODUCTION,
        licence=licence,
        version=1,
    )
