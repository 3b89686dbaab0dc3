"""Blocks: whatever is changed, removed or inserted no longer fits."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import bson
import pytest
from bson import Decimal128
from hypothesis import given
from hypothesis import strategies as st

from chassis.asking import answered
from services.trace.evidence import sealing
from services.trace.evidence.blocks import GENESIS, Block, block_id, leaf, root_of, seal
from services.trace.evidence.verifying import (
    Anchor,
    BlocksIn,
    DeclarationsNamed,
    EventsNamed,
    Fault,
    Question,
    Stretch,
    Verified,
    verified,
)

Row = dict[str, Any]

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
WHOLE = Stretch("1")
OPTIONS: Any = bson.CodecOptions(tz_aware=True)


def row(number: int, **more: Any) -> Row:
    lots = {"inputs": [], "outputs": [{"batch": f"B{number}", "quantity": Decimal128("1.50")}]}
    at = datetime(2026, 1, 5, 8, 0, 0, 123456, tzinfo=UTC)
    return {"_id": f"E{number:03}", "time": at, "site": "licence:S", "division": "370102", "lots": lots, **more}


def decoded(document: Any) -> Row:
    found: Row = bson.decode(document, OPTIONS)
    return found


class Kept:
    """What the store holds of lanes."""

    def __init__(self) -> None:
        self.blocks: dict[str, Row] = {}
        self.events: dict[str, Row] = {}
        self.heads: dict[str, Block] = {}
        self.between: Callable[[], None] = lambda: None

    def record(self, lane: str, *rows: Row) -> Block:
        sealed = seal(lane, self.heads.get(lane), rows, NOW)
        self.heads[lane] = sealed.block
        for name, operations in sealing.stored(sealed).items():
            assert name == sealing.BLOCKS
            self.blocks |= {each._doc["_id"]: dict(each._doc) for each in operations}
        self.events |= {each["_id"]: each for each in map(decoded, (document.raw for document in sealed.documents))}
        return sealed.block

    def verify(self, stretch: Stretch = WHOLE, *anchors: Anchor, most: int = 200) -> Verified:
        return answered(verified(stretch, anchors, most), self._answer)

    def faults(self, *anchors: Anchor) -> list[tuple[str, str]]:
        return [(each.block, each.fault) for each in self.verify(WHOLE, *anchors).problems]

    def _answer(self, question: Question) -> list[Row]:
        if isinstance(question, DeclarationsNamed | EventsNamed):
            return [row for id, row in self.events.items() if id in question.ids]
        lane, after, until = question.stretch
        first, last = block_id(lane, after), block_id(lane, until) if until else f"{lane}0"
        if isinstance(question, BlocksIn):
            return [self.blocks[id] for id in sorted(self.blocks) if first < id <= last][: question.most]
        self.between()
        from_start = {lane} if not after else set()
        return [row for row in self.events.values() if first < (id := row.get("block", "")) <= last or id in from_start]


@pytest.fixture
def kept() -> Kept:
    """Three blocks of three events."""
    kept = Kept()
    for first in (0, 3, 6):
        kept.record("1", *map(row, range(first, first + 3)))
    return kept


ID = {number: block_id("1", number) for number in range(1, 9)}


def test_root_is_that_of_rfc_6962() -> None:
    leaves = [leaf(row(number)) for number in range(5)]
    pair = [sha256(b"\x01" + a + b).digest() for a, b in zip(leaves[:4:2], leaves[1:4:2], strict=True)]
    four = sha256(b"\x01" + pair[0] + pair[1]).digest()
    assert root_of(map(row, range(5))) == sha256(b"\x01" + four + leaves[4]).hexdigest()


@given(st.lists(st.integers(1, 9), max_size=6), st.integers(1, 4))
def test_what_nobody_touched_fits_page_by_page(sizes: list[int], most: int) -> None:
    kept, number = Kept(), 0
    for size in sizes:
        kept.record("1", *map(row, range(number, number + size)))
        number += size
    blocks = events = after = 0
    while not (found := kept.verify(Stretch("1", after), most=most)).ended:
        assert found.problems == []
        assert found.last
        blocks, events, after = blocks + found.blocks, events + found.documents, found.last.number
    assert (found.problems, found.last) == ([], kept.heads.get("1"))
    assert (blocks + found.blocks, events + found.documents) == (len(sizes), number)


def test_stored_documents_are_the_rows_and_their_block() -> None:
    whole = row(1, unplaced="licence:S", placed_later=True, also_from=["market"])
    block, (document,) = seal("1", None, [whole], NOW)
    assert decoded(document.raw) == decoded(bson.encode(whole)) | {"block": block.id}
    assert block[:3] + block[4:] == ("1", 1, 1, GENESIS, NOW)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("site", "licence:X"),
        ("division", "370103"),
        ("time", datetime(2026, 1, 6, tzinfo=UTC)),
        ("note", "new"),
        ("placed_later", True),
        ("lots", {"inputs": [], "outputs": [{"batch": "B1", "quantity": Decimal128("1.51")}]}),
    ],
)
def test_changed_event_is_found(kept: Kept, name: str, value: Any) -> None:
    kept.events["E001"][name] = value
    assert kept.faults() == [(ID[1], Fault.EVENT_CHANGED)]


def test_what_trace_sets_later_is_no_change(kept: Kept) -> None:
    kept.record("1", row(20, division=None, unplaced="licence:S", placed_later=True))
    late = kept.events["E020"]
    del late["unplaced"]
    late |= {"division": "370102", "operator": "o:1", "parties": ["o:1"]}
    kept.events["E001"] |= {"also_from": ["market"], "declared": {"id": "D1"}}
    declare(kept, "D1", "E001")
    assert kept.faults() == []
    late["site"] = "licence:X"
    assert kept.faults() == [(ID[4], Fault.EVENT_CHANGED)]


def declare(kept: Kept, id: str, event: str, **more: Any) -> None:
    told = {"_id": id, "event_id": event, "by": "source", "who": "market", "state": "applied", "recorded_at": NOW}
    kept.record("declarations", told | more)


@pytest.mark.parametrize("mark", [{"id": "D9"}, {"id": "D2"}, {"id": "D3"}, {}, True])
def test_a_mark_that_nobody_declared_is_found(kept: Kept, mark: Any) -> None:
    declare(kept, "D2", "E002")
    declare(kept, "D3", "E001", state="refused")
    kept.events["E002"]["declared"] = {"id": "D2"}
    assert kept.faults() == []
    kept.events["E001"]["declared"] = mark
    assert kept.faults() == [(ID[1], Fault.DECLARATION_CHANGED)]


@pytest.mark.parametrize(
    ("told", "event", "fits"),
    [
        ({"state": "applied"}, {}, False),
        ({"state": "applied"}, {"declared": {"id": "D1"}}, True),
        ({"state": "pending"}, None, True),
        ({"state": "pending"}, {"recorded_at": NOW}, True),
        ({"state": "pending"}, {"recorded_at": NOW - timedelta(hours=1)}, False),
        ({"state": "refused"}, {"recorded_at": NOW}, False),
        ({"state": "refused"}, {"source": "catering"}, True),
        ({"state": "refused", "by": "operator"}, {"source": "catering"}, False),
        ({"state": "pending", "by": "regulator"}, None, False),
    ],
)
def test_a_declaration_has_the_state_that_its_event_gives_it(told: Row, event: Row | None, fits: bool) -> None:
    kept = Kept()
    if event is not None:
        kept.record("1", row(1, source="market", recorded_at=NOW) | event)
    declare(kept, "D1", "E001", **told)
    found = kept.verify(Stretch("declarations")).problems
    assert [each.fault for each in found] == ([] if fits else [Fault.DECLARATION_CHANGED])


def test_removed_and_inserted_events_are_found(kept: Kept) -> None:
    kept.events["E900"] = row(900, block=ID[1])
    del kept.events["E004"]
    del kept.events["E008"]
    kept.events["E901"] = row(901, block=ID[3])
    assert kept.faults() == [
        (ID[1], Fault.EVENT_INSERTED),
        (ID[2], Fault.EVENT_REMOVED),
        (ID[3], Fault.EVENT_CHANGED),
    ]


def test_events_that_change_places_are_found(kept: Kept) -> None:
    kept.events["E001"]["block"], kept.events["E004"]["block"] = ID[2], ID[1]
    assert kept.faults() == [(ID[1], Fault.EVENT_CHANGED), (ID[2], Fault.EVENT_CHANGED)]


def test_removed_block_is_found_and_so_are_its_events(kept: Kept) -> None:
    del kept.blocks[ID[2]]
    assert kept.faults() == [(ID[2], Fault.BLOCK_MISSING), (ID[2], Fault.EVENT_UNSEALED)]


def test_block_removed_with_its_events_is_found(kept: Kept) -> None:
    del kept.blocks[ID[1]]
    for number in range(3):
        del kept.events[f"E{number:03}"]
    assert kept.faults() == [(ID[1], Fault.BLOCK_MISSING)]


def test_last_block_removed_without_its_events_is_found(kept: Kept) -> None:
    del kept.blocks[ID[3]]
    assert kept.faults() == [(ID[3], Fault.EVENT_UNSEALED)]


@pytest.mark.parametrize(
    ("field", "value"), [("root", "x"), ("previous", "x"), ("at", datetime(2025, 1, 1, tzinfo=UTC))]
)
def test_changed_block_is_found(kept: Kept, field: str, value: Any) -> None:
    kept.blocks[ID[2]][field] = value
    assert (ID[2], Fault.BLOCK_CHANGED) in kept.faults()


def test_blocks_in_another_order_are_found(kept: Kept) -> None:
    two, three = kept.blocks[ID[2]], kept.blocks[ID[3]]
    kept.blocks[ID[2]], kept.blocks[ID[3]] = three | {"_id": ID[2]}, two | {"_id": ID[3]}
    assert {fault for _, fault in kept.faults()} >= {Fault.BLOCK_MISSING, Fault.EVENT_CHANGED}
    for number, told in ((2, three), (3, two)):
        kept.blocks[ID[number]] = told | {"_id": ID[number], "number": number}
    assert (ID[2], Fault.BLOCK_CHANGED) in kept.faults()


def test_block_sealed_anew_is_found_by_the_one_that_follows(kept: Kept) -> None:
    changed = row(3, site="licence:X")
    anew = seal("1", None, [], NOW).block._replace(number=2, size=3, previous=kept.blocks[ID[1]]["hash"])
    events = [changed, row(4), row(5)]
    anew = anew._replace(root=root_of(events))
    (stored,) = [each._doc for each in sealing.stored(seal("1", None, [], NOW)._replace(block=anew))[sealing.BLOCKS]]
    kept.blocks[ID[2]] = dict(stored)
    kept.events |= {each["_id"]: each | {"block": ID[2]} for each in events}
    assert kept.faults() == [(ID[3], Fault.BLOCK_CHANGED)]


def test_tail_cut_off_is_found_with_an_anchor(kept: Kept) -> None:
    anchor = Anchor("1", 3, kept.heads["1"].hash)
    assert kept.faults(anchor, Anchor("2", 5, "x")) == []
    del kept.blocks[ID[3]]
    for number in (6, 7, 8):
        del kept.events[f"E{number:03}"]
    assert kept.faults() == []
    assert kept.faults(anchor) == [(ID[3], Fault.LANE_CUT)]


def test_lane_made_anew_is_found_with_an_anchor(kept: Kept) -> None:
    other = Kept()
    for first in (0, 3, 6, 9):
        other.record("1", *map(row, range(first, first + 2)))
    assert other.faults() == []
    assert other.faults(Anchor("1", 2, kept.blocks[ID[2]]["hash"])) == [(ID[2], Fault.LANE_REWRITTEN)]


def test_batch_recorded_meanwhile_is_no_fault(kept: Kept) -> None:
    kept.between = lambda: (kept.record("1", row(30)), None)[1]
    assert kept.faults() == []


def test_a_stretch_is_verified_by_itself(kept: Kept) -> None:
    kept.events["E001"]["site"] = "licence:X"
    anchor = Anchor("1", 3, "x")
    found = kept.verify(Stretch("1", 1, 2), anchor)
    assert (found.problems, found.blocks, found.documents, found.ended) == ([], 1, 3, True)
    del kept.blocks[ID[1]]
    assert [each[:2] for each in kept.verify(Stretch("1", 1, 2)).problems] == [(ID[1], Fault.BLOCK_MISSING)]


def test_lanes_are_apart() -> None:
    kept = Kept()
    kept.record("1", row(1))
    kept.record("10", row(2))
    del kept.blocks[block_id("10", 1)]
    assert kept.faults() == []
    assert [each[:2] for each in kept.verify(Stretch("10")).problems] == [("10/0000000001", Fault.EVENT_UNSEALED)]


@pytest.mark.parametrize("field", Block._fields)
def test_every_field_of_a_block_counts(field: str) -> None:
    block = Block("w1", 1, 1, "r", GENESIS, NOW)
    other: Any = {"number": 2, "size": 2, "at": datetime(2025, 1, 1, tzinfo=UTC)}.get(field, "x")
    assert block._replace(**{field: other}).hash != block.hash
