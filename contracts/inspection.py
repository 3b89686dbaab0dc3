"""Inspection's messages: test results in, and what is announced of tasks, cases and tests."""

from datetime import datetime
from enum import StrEnum

from contracts.egress import FieldError
from contracts.model import Contract, Whole
from contracts.trace import Category, Link


class TestKind(StrEnum):
    """What is tested for (domain: "Tests")."""

    RESIDUE_QUICK = "residue_quick"
    CLENBUTEROL_QUICK = "clenbuterol_quick"
    LABORATORY = "laboratory"


class TestResult(Contract):
    """One test of one batch at one site. `qualified` is the verdict; `value` the reading as the tester wrote it."""

    id: str
    source: str
    message_id: str
    line: Whole = 0
    kind: TestKind
    item: str
    method: str | None = None
    site: str
    operator: str | None = None
    site_name: str | None = None
    division: str | None = None
    batch: str | None = None
    product: str | None = None
    category: Category = Category.OTHER
    qualified: bool
    value: str | None = None
    tested_at: datetime
    tester: str | None = None
    flags: tuple[FieldError, ...] = ()


class RecordTestsV1(Contract):
    """`inspection.record_tests.v1`: a bundle, one per batch an adapter consumed."""

    tests: tuple[TestResult, ...]


class Standing(StrEnum):
    """What a result is worth: it stands until somebody objects and a re-test decides (食品安全法 art. 88)."""

    STANDS = "stands"
    OBJECTED = "objected"
    UPHELD = "upheld"
    OVERTURNED = "overturned"


class TestFacts(TestResult):
    """A test on record; told again when its standing changes or its batch becomes known.

    `event` is an event of trace that names its batch; a test without one is parked until there is one.
    """

    version: Whole = 1
    standing: Standing = Standing.STANDS
    retest_of: str | None = None
    event: str | None = None


class TestsRecordedV1(Contract):
    """`inspection.tests_recorded.v1`: tests that are now on record."""

    tests: tuple[TestFacts, ...]


class TaskKind(StrEnum):
    """Kinds of inspection (domain: "Kinds")."""

    DAILY = "daily"
    QUARTERLY = "quarterly"
    SPECIAL = "special"
    PATROL = "patrol"
    RETURN_VISIT = "return_visit"
    ANNUAL = "annual"
    SAMPLING = "sampling"


class TaskState(StrEnum):
    """Where a task stands in the closed loop (S3: inspect, rectify within the week, re-check within the month)."""

    OPEN = "open"
    INSPECTED = "inspected"
    RECTIFYING = "rectifying"
    RECTIFIED = "rectified"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class TaskFacts(Contract):
    """A task as it stands; a higher `version` wins.

    `cause` names what led to it: `finding`, `test`, `sample`, `recall`, `hand`.

    `due_at` is the clock now running; `escalations` counts how often it ran out.
    """

    id: str
    kind: TaskKind
    state: TaskState
    version: Whole
    title: str
    cause: str
    cause_id: str | None = None
    site: str
    operator: str | None = None
    site_name: str | None = None
    division: str | None = None
    link: Link | None = None
    station: str | None = None
    officers: tuple[str, ...] = ()
    due_at: datetime | None = None
    escalations: Whole = 0
    level: str = "station"
    """Whose desk it is on: `station`, `county`, `city` or `province`."""
    reason: str | None = None
    """Why it was closed or cancelled."""
    opened_at: datetime
    closed_at: datetime | None = None
    findings: tuple[str, ...] = ()
    """Ids of trace's findings it is about: those of one shipment or receipt."""


class TasksChangedV1(Contract):
    """`inspection.tasks_changed.v1`."""

    tasks: tuple[TaskFacts, ...]


class CaseState(StrEnum):
    """Life of a case (S2)."""

    OPEN = "open"
    CLOSED = "closed"


class CaseFacts(Contract):
    """A case as it stands; a higher `version` wins. `missing` are the gates (four not-let-go) without evidence yet."""

    id: str
    state: CaseState
    version: Whole
    title: str
    task_id: str | None = None
    site: str
    operator: str | None = None
    site_name: str | None = None
    division: str | None = None
    link: Link | None = None
    station: str | None = None
    missing: tuple[str, ...] = ()
    opened_at: datetime
    closed_at: datetime | None = None
    rescinded: bool = False
    """Closed because a re-test found nothing wrong."""


class CasesChangedV1(Contract):
    """`inspection.cases_changed.v1`."""

    cases: tuple[CaseFacts, ...]


class RecallState(StrEnum):
    """A proposal stands, or was taken back after a re-test."""

    PROPOSED = "proposed"
    WITHDRAWN = "withdrawn"


class RecallProposal(Contract):
    """A failed test proposes to recall its batch; whoever is entitled decides. A higher `version` wins.

    `recall_class` is 1 to 3 as suggested; the recall begins by `start_by` and ends within `finish_days` working days
    of its announcement (食品召回管理办法 art. 13, 18).
    """

    id: str
    state: RecallState
    version: Whole
    case_id: str
    test_id: str
    batch: str
    item: str
    product: str | None = None
    category: Category = Category.OTHER
    site: str
    operator: str | None = None
    site_name: str | None = None
    division: str | None = None
    link: Link | None = None
    station: str | None = None
    recall_class: Whole
    proposed_at: datetime
    start_by: datetime
    finish_days: Whole


class RecallsProposedV1(Contract):
    """`inspection.recalls_proposed.v1`: proposals made, and those taken back."""

    proposals: tuple[RecallProposal, ...]
