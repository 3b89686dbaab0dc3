"""What inspection stores, as types."""

from datetime import datetime
from typing import Any, NotRequired, TypedDict

Document = dict[str, Any]


class Taken(TypedDict):
    """One step of a task as it was taken; `state` is where it led."""

    step: str
    at: datetime
    who: str
    officers: list[str]
    note: str
    evidence: list[str]
    location: str
    state: str


class Placed(TypedDict):
    """Where something is and whose it is. `areas` are the prefixes of its division: a caller's scope is one."""

    site: str
    operator: str | None
    site_name: str | None
    division: str | None
    link: str | None
    station: str | None
    areas: list[str]


class Cited(TypedDict):
    """A finding that a task is about; `open` until trace closes it."""

    id: str
    open: bool
    batches: list[str]


class Task(Placed):
    """A task. `order` sorts worklists: what is due first, then the id.

    `items` are the points it goes through, `checked_level` is the level of the authority that inspected;
    `inspectors` are those who inspected or recorded it; `opened_at`, `inspected_at` and `ordered_at` start clocks.
    """

    _id: str
    kind: str
    state: str
    version: int
    title: str
    cause: str
    cause_id: str | None
    item: str
    officers: list[str]
    inspectors: list[str]
    level: str
    escalations: int
    due_at: datetime
    provisional: bool
    order: str
    opened_at: datetime
    inspected_at: datetime | None
    ordered_at: datetime | None
    closed_at: datetime | None
    reason: str | None
    case: str | None
    findings: list[Cited]
    items: list[str]
    checked_level: str | None
    taken: list[Taken]


class Objection(TypedDict):
    """Who objected to a test's result, when, why, with what."""

    who: str
    at: datetime
    reason: str
    evidence: list[str]


class Test(Placed):
    """A test on record. `recorded_at` is when the result was told, which starts the time to object.

    `event` is an event of trace that names its batch; until there is one, `parked` holds the batch.
    """

    _id: str
    version: int
    source: str
    message_id: str
    line: int
    kind: str
    item: str
    method: str | None
    batch: str | None
    product: str | None
    category: str
    qualified: bool
    value: str | None
    tested_at: datetime
    tester: str | None
    flags: list[Document]
    content: str
    order: str
    recorded_at: datetime
    recorded_by: str
    standing: str
    objection: Objection | None
    retest_of: str | None
    retest: str | None
    event: str | None
    parked: NotRequired[str]


class Settled(TypedDict):
    """How a must, a gate or a handling was settled: by whom, when, with what."""

    state: str
    who: str
    at: datetime
    note: str
    evidence: list[str]


class Handling(TypedDict):
    """What a case calls for against a unit or a department: `interview` or `accountability`."""

    party: str
    name: str
    handling: str
    held: Settled | None


class Penalty(TypedDict):
    """What a person decided; `amount` in yuan as a decimal's text."""

    penalty: str
    amount: str
    clause: str
    reason: str
    persons: list[str]
    who: str
    at: datetime


class Recall(TypedDict):
    """The recall that a case proposes; `start_by` and `finish_days` are its class's clocks."""

    state: str
    test: str
    batch: str
    product: str | None
    category: str
    recall_class: int
    proposed_at: datetime
    start_by: datetime
    finish_days: int


class Case(Placed):
    """A case. `triggers` set off musts; `musts` and `gates` hold those that are settled, by name.

    `contested` while a re-test is to decide, `rescinded` when it found nothing wrong.
    """

    _id: str
    state: str
    version: int
    title: str
    cause: str
    cause_id: str
    task: str | None
    item: str
    triggers: list[str]
    musts: dict[str, Settled]
    gates: dict[str, Settled]
    handlings: list[Handling]
    facts: Document
    penalty: Penalty | None
    contested: bool
    rescinded: bool
    recall: Recall | None
    order: str
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None


class FindingRow(TypedDict):
    """What trace told last of a finding; `task` is that of the last time it opened, empty before."""

    _id: str
    version: int
    open: bool
    task: str


class LedgerRow(TypedDict):
    """A line of the duty ledger (履职台账). `at` is when it was done or due, `recorded_at` when it was written."""

    _id: str
    at: datetime
    recorded_at: datetime
    officer: str
    role: str
    action: str
    subject: str
    site: str
    site_name: str | None
    division: str | None
    areas: list[str]
    location: str
    evidence: list[str]
    outcome: str
    note: str
