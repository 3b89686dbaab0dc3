"""Other services' answers as the facts that their events would have told, and those as writes. Pure."""

from collections.abc import Iterable
from typing import Any, Final

from google.protobuf.message import Message
from shilian.inspection.v1 import inspection_pb2
from shilian.notify.v1 import notify_pb2
from shilian.registry.v1 import registry_pb2

from contracts.findings import Finding
from contracts.inspection import CaseFacts, TaskFacts, TestFacts
from contracts.notices import DeliveryFacts
from contracts.registry import Alias, Cell, SiteFacts
from contracts.trace import RecordedEvent
from services.reporting import store
from services.reporting.store import Document, Writes
from services.reporting.translate import aware


def sites(found: Iterable[registry_pb2.SiteFacts]) -> Writes:
    """Sites, and the other ids that mean them."""
    told = list(found)
    aliases = [Alias(alias=alias, site=each.site.site_id) for each in told for alias in each.site.aliases]
    return {store.SITES: [*map(store.site_changed, map(_site, told)), *map(store.site_aliased, aliases)]}


def _site(told: registry_pb2.SiteFacts) -> SiteFacts:
    site = told.site
    return SiteFacts(
        site=site.site_id,
        operator=site.operator_id,
        name=site.name,
        operator_name=told.operator_name,
        state=word(registry_pb2.OperatorState, site.state),
        division=site.division or None,
        link=word(registry_pb2.Link, site.link),
        unit_kind=word(registry_pb2.UnitKind, site.unit_kind),
        licence=site.licence or None,
        version=site.version,
        listed=site.listed,
        registered=site.registered,
        activated_at=moment(site, "activate_time"),
        suspended=told.suspended,
        obligations=[word(registry_pb2.Category, each) for each in site.obligations],
        cell=site.cell_id or None,
        station=site.station or None,
    )


def cells(found: Iterable[registry_pb2.Cell]) -> Writes:
    """Cells of the grid; reporting needs the names of their stations."""
    told = [
        Cell(
            cell=each.cell_id,
            parent=each.parent_id or None,
            name=each.name,
            division=each.division,
            station=each.station,
            station_name=each.station_name or None,
            version=each.version,
        )
        for each in found
    ]
    return {store.CELLS: [store.replaced(each.cell, each) for each in told]}


def events(found: Iterable[Any]) -> Writes:
    """Marks of recorded events, those taken back that were declared wrong."""
    told = list(found)
    marked = store.recorded(map(_event, told))
    wrong = store.withdrawn(_event(each) for each in told if each.declaration_id)
    return {**marked, store.MARKS: [*marked[store.MARKS], *wrong]}


def _event(told: Any) -> RecordedEvent:
    return RecordedEvent(
        id=told.event_id,
        source=told.source,
        step=told.step,
        time=aware(told.time),
        sent_at=aware(told.sent_time),
        site=told.site_id,
        categories=tuple(dict.fromkeys(lot.category for lot in (*told.inputs, *told.outputs))),
        external=told.counterparty_external,
    )


def findings(found: Iterable[Any]) -> Writes:
    """Findings as they stand."""
    return {store.FINDINGS: [store.replaced(each.finding_id, _finding(each)) for each in found]}


def _finding(told: Any) -> Finding:
    return Finding(
        id=told.finding_id,
        kind=told.kind,
        open=told.open,
        version=told.version,
        site=told.site_id,
        operator=told.operator_id or None,
        division=told.division or None,
        link=told.link or None,
        counterparty=told.counterparty_site_id or None,
        event_id=told.event_id or None,
        batches=tuple(told.batches),
        categories=tuple(told.categories),
        due_at=aware(told.due_time),
        opened_at=aware(told.opened_time),
        closed_at=moment(told, "closed_time"),
        provisional=told.provisional,
    )


def tasks(found: Iterable[inspection_pb2.Task]) -> Writes:
    """Tasks as they stand."""
    return {store.TASKS: [store.replaced(each.task_id, _task(each)) for each in found]}


def _task(told: inspection_pb2.Task) -> TaskFacts:
    return TaskFacts(
        id=told.task_id,
        kind=word(inspection_pb2.TaskKind, told.kind),
        state=word(inspection_pb2.TaskState, told.state),
        escalations=told.escalations,
        cause=told.cause,
        **_course(told),
    )


def cases(found: Iterable[inspection_pb2.Case]) -> Writes:
    """Cases as they stand."""
    return {store.CASES: [store.replaced(each.case_id, _case(each)) for each in found]}


def _case(told: inspection_pb2.Case) -> CaseFacts:
    state = word(inspection_pb2.CaseState, told.state)
    return CaseFacts(id=told.case_id, state=state, missing=tuple(told.missing), **_course(told))


def _course(told: Any) -> Document:
    """What tasks and cases have alike."""
    return {
        "version": told.version,
        "title": told.title,
        "site": told.site_id,
        "site_name": told.site_name or None,
        "division": told.division or None,
        "link": word(inspection_pb2.Link, told.link),
        "station": told.station or None,
        "opened_at": aware(told.open_time),
        "closed_at": moment(told, "close_time"),
    }


def tests(found: Iterable[inspection_pb2.Test]) -> Writes:
    """Tests as they stand."""
    return {store.TESTS: [store.replaced(each.test_id, _test(each)) for each in found]}


def _test(told: inspection_pb2.Test) -> TestFacts:
    return TestFacts(
        id=told.test_id,
        source=told.source,
        message_id="",
        kind=word(inspection_pb2.TestKind, told.kind),
        item=told.item,
        site=told.site_id,
        division=told.division or None,
        batch=told.batch or None,
        qualified=told.qualified,
        tested_at=aware(told.test_time),
        version=told.version,
        standing=word(inspection_pb2.Standing, told.standing),
        retest_of=told.retest_of or None,
    )


def deliveries(found: Iterable[notify_pb2.Delivery]) -> Writes:
    """Deliveries as they stand."""
    return {store.DELIVERIES: [store.replaced(each.delivery_id, _delivery(each)) for each in found]}


def _delivery(told: notify_pb2.Delivery) -> DeliveryFacts:
    return DeliveryFacts(
        id=told.delivery_id,
        cause=told.cause,
        event=told.event,
        recipient=told.recipient,
        channel=word(notify_pb2.Channel, told.channel),
        state=word(notify_pb2.DeliveryState, told.state),
        attempts=told.attempts,
        version=told.version,
        created_at=aware(told.create_time),
        division=told.division or None,
    )


def moment(told: Message, field: str) -> Any:
    """A time that may be missing."""
    return aware(getattr(told, field)) if told.HasField(field) else None


_UNSPECIFIED: Final = "UNSPECIFIED"


def word(enum: Any, number: int) -> Any:
    """What our messages call an enum's value: `TASK_STATE_OPEN` is `open`; None for none."""
    name: str = enum.Name(number)
    prefix = enum.Name(0).removesuffix(_UNSPECIFIED)
    own = name.removeprefix(prefix).lower()
    return None if number == 0 else own
