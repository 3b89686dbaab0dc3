"""Verifying blocks: whatever was changed, removed or inserted, and where it shows. Pure; driven by `chassis.asking`."""

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from services.trace.evidence.blocks import Block, Row, block_id, expected, root_of
from services.trace.evidence.marks import about, borne, is_false

MOST_BLOCKS: Final = 200
MOST_DOCUMENTS: Final = 2_000
"""What is verified before there is an answer; a block is never split."""


class Fault(StrEnum):
    """What does not fit."""

    BLOCK_MISSING = "block_missing"
    BLOCK_CHANGED = "block_changed"
    LANE_CUT = "lane_cut"
    LANE_REWRITTEN = "lane_rewritten"
    EVENT_REMOVED = "event_removed"
    EVENT_INSERTED = "event_inserted"
    EVENT_CHANGED = "event_changed"
    EVENT_UNSEALED = "event_unsealed"
    DECLARATION_CHANGED = "declaration_changed"


class Problem(NamedTuple):
    """A fault, the block it shows in, and how many documents it is about, where that is known."""

    block: str
    fault: Fault
    documents: int = 0


class Anchor(NamedTuple):
    """A block that somebody noted outside of the store: the hash it had."""

    lane: str
    number: int
    hash: str


class Stretch(NamedTuple):
    """Blocks of a lane after a number, up to another one; None is the lane's end."""

    lane: str
    after: int = 0
    until: int | None = None


class BlocksIn(NamedTuple):
    """Asks for the rows of `most` blocks of a stretch at most, in their order."""

    stretch: Stretch
    most: int


class DocumentsIn(NamedTuple):
    """Asks for whole documents that name a block of a stretch."""

    stretch: Stretch


class DeclarationsNamed(NamedTuple):
    """Asks for declarations by their ids."""

    ids: tuple[str, ...]


class EventsNamed(NamedTuple):
    """Asks for events by their ids."""

    ids: tuple[str, ...]


class Verified(NamedTuple):
    """What was looked at: the last block of it, and whether the stretch ended there."""

    problems: list[Problem]
    blocks: int
    documents: int
    last: Block | None
    ended: bool


Question = BlocksIn | DocumentsIn | DeclarationsNamed | EventsNamed
Steps = Generator[Question, list[Row], Verified]


def verified(stretch: Stretch, anchors: Sequence[Anchor], most: int = MOST_BLOCKS) -> Steps:
    """Verifies the first blocks of a stretch, as many as may be answered at once."""
    lane, after, until = stretch
    before = (yield BlocksIn(Stretch(lane, after - 1, after), 1)) if after else []
    told = yield BlocksIn(stretch, most + 1)
    page = _page(told, most)
    ended = len(page) == len(told)
    documents: dict[str, list[Row]] = defaultdict(list)
    for row in (yield DocumentsIn(stretch if ended else Stretch(lane, after, page[-1]["number"]))):
        documents[str(row["block"])].append(row)
    homeless = documents.keys() - {row["_id"] for row in page}
    if homeless and ended:
        # A batch may have been recorded between the two answers.
        since = yield BlocksIn(Stretch(lane, page[-1]["number"] if page else after, until), len(homeless))
        homeless -= {row["_id"] for row in since}
    marks = yield from _marks(documents)
    problems = [
        *_linked(before, page, stretch),
        *(found for row in page for found in _content(row, documents[row["_id"]])),
        *(Problem(id, Fault.EVENT_UNSEALED, len(documents[id])) for id in sorted(homeless)),
        *marks,
        *_anchored(page, [each for each in anchors if _concerns(each, stretch)], ended),
    ]
    count = sum(len(documents[row["_id"]]) for row in page)
    return Verified(problems, len(page), count, _block(page[-1]) if page else None, ended)


def _marks(documents: Mapping[str, Sequence[Row]]) -> Generator[Question, list[Row], list[Problem]]:
    """Whether events bear what was declared of them, and nothing else."""
    rows = [row for found in documents.values() for row in found]
    declarations = (yield DeclarationsNamed(ids)) if (ids := borne(rows)) else []
    events = (yield EventsNamed(ids)) if (ids := about(rows)) else []
    told = {row["_id"]: row for row in declarations}, {row["_id"]: row for row in events}
    wrong = {id: sum(is_false(row, *told) for row in found) for id, found in documents.items()}
    return [Problem(id, Fault.DECLARATION_CHANGED, count) for id, count in sorted(wrong.items()) if count]


def _page(rows: Sequence[Row], most: int) -> list[Row]:
    """The first rows that may be looked at together: one, or as many as hold few documents."""
    page: list[Row] = []
    size = 0
    for row in rows[:most]:
        size += row["size"]
        if page and size > MOST_DOCUMENTS:
            break
        page.append(row)
    return page


def _block(row: Row) -> Block:
    return Block(*(row[name] for name in Block._fields))


def _linked(before: Sequence[Row], page: Sequence[Row], stretch: Stretch) -> Iterator[Problem]:
    """Whether each block is as it was sealed and follows the one before it."""
    lane, after, _ = stretch
    if after and not before:
        yield Problem(block_id(lane, after), Fault.BLOCK_MISSING)
    known = _block(before[0]) if before else None
    for row in page:
        block = _block(row)
        number, previous = expected(known) if known or not after else (block.number, block.previous)
        if block.number != number:
            yield Problem(block_id(lane, number), Fault.BLOCK_MISSING)
        elif (row["_id"], row["hash"], block.lane, block.previous) != (block.id, block.hash, lane, previous):
            yield Problem(row["_id"], Fault.BLOCK_CHANGED)
        known = block


def _content(row: Row, documents: Sequence[Row]) -> Iterator[Problem]:
    """Whether a block's documents are those that were sealed."""
    more = len(documents) - row["size"]
    if more:
        yield Problem(row["_id"], Fault.EVENT_INSERTED if more > 0 else Fault.EVENT_REMOVED, abs(more))
    elif root_of(documents) != row["root"]:
        yield Problem(row["_id"], Fault.EVENT_CHANGED)


def _concerns(anchor: Anchor, stretch: Stretch) -> bool:
    lane, after, until = stretch
    return anchor.lane == lane and anchor.number > after and (until is None or anchor.number <= until)


def _anchored(page: Sequence[Row], anchors: Sequence[Anchor], ended: bool) -> Iterator[Problem]:
    """Whether the lane still is what somebody noted of it."""
    hashes: Mapping[int, Any] = {row["number"]: _block(row).hash for row in page}
    last = max(hashes, default=0)
    for anchor in anchors:
        if anchor.number in hashes and hashes[anchor.number] != anchor.hash:
            yield Problem(block_id(anchor.lane, anchor.number), Fault.LANE_REWRITTEN)
        elif ended and anchor.number > last:
            yield Problem(block_id(anchor.lane, anchor.number), Fault.LANE_CUT)
