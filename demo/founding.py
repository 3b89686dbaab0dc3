"""What people tell the platform of: the grid and its officers, rosters, who looks after whom, who is activated."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from shilian.registry.v1 import registry_pb2 as pb
from shilian.reporting.v1 import reporting_pb2

from demo.desk import PROVINCE, Desk, Person, awaited
from demo.generator.grid import Station
from demo.generator.roster import PROVINCE as WHOSE
from demo.generator.roster import Roster

AT_ONCE: Final = 500
"""Sites of one call, and of one page."""

WHY: Final = "网格编成"
ACTIVATED: Final = "资料核对无误"


def lay_grid(desk: Desk, stations: Sequence[Station]) -> None:
    """A cell for each station and for each of its two cells below, with an officer in each."""
    for station in stations:
        who = Person("市局网格办", station.division)
        for place, officer in enumerate(station.officers):
            cell = pb.Cell(
                cell_id=station.cell(place),
                parent_id=station.cell(0) if place else "",
                name=f"第{place}网格" if place else station.name,
                division=station.division,
                station=station.id,
                station_name=station.name,
            )
            named = pb.Officer(officer_id=officer.name, name=officer.name, phone=officer.phone, wechat=officer.wechat)
            desk.ask(pb.SetCellRequest(cell=cell, reason=WHY), who)
            desk.ask(pb.AssignOfficerRequest(cell_id=cell.cell_id, officer=named, reason=WHY), who)


def import_rosters(desk: Desk, rosters: Sequence[Roster]) -> list[Any]:
    """Imports each list and waits until its rows are taken in; the answers, with the errors of single rows."""
    answers = [
        desk.ask(pb.ImportRosterRequest(kind=_kind(roster), division=WHOSE, complete=True, file=roster.content))
        for roster in rosters
    ]
    awaited("the rosters", lambda: all(_done(desk, answer.roster_import.import_id) for answer in answers))
    return answers


def look_after(desk: Desk, stations: Sequence[Station]) -> None:
    """Places each site in one of its station's two cells and names that cell's officer as its 1:1 contact.

    Whose division nobody told stays a gap.
    """
    lying: dict[str, list[str]] = {station.division: [] for station in stations}
    for facts in _sites(desk):
        if facts.site.division in lying:
            lying[facts.site.division].append(facts.site.site_id)
    for station in stations:
        who = Person(station.officers[0].name, station.division)
        for place in (1, 2):
            if ids := sorted(lying[station.division])[place - 1 :: 2]:
                desk.ask(pb.PlaceSitesRequest(site_ids=ids, cell_id=station.cell(place), reason=WHY), who)
                helper = station.officers[place].name
                desk.ask(pb.AssignContactRequest(site_ids=ids, officer_id=helper, reason=WHY), who)


def activate(desk: Desk) -> int:
    """Activates every operator that registered; how many."""
    found = [operator.operator_id for operator in _registered(desk)]
    for id in found:
        desk.ask(pb.ActivateOperatorRequest(operator_id=id, reason=ACTIVATED))
    return len(found)


def declare(desk: Desk, system: str, month: str, records: int) -> None:
    """A self-built system says how many records it made in a month: what its uploads are held against."""
    told = reporting_pb2.DeclareUploadsRequest(
        system=system, name="动物检疫系统", month=month, records=records, division=WHOSE, link="production"
    )
    desk.ask(told)


def _kind(roster: Roster) -> "pb.RosterKind.ValueType":
    return pb.RosterKind.Value(f"ROSTER_KIND_{roster.kind.upper()}")


def _done(desk: Desk, id: str) -> bool:
    return bool(desk.ask(pb.GetRosterImportRequest(import_id=id)).roster_import.done)


def _sites(desk: Desk) -> Iterator[Any]:
    token = None
    while token != "":
        page = desk.ask(pb.ListSitesRequest(page_size=AT_ONCE, page_token=token or ""))
        yield from page.sites
        token = page.next_page_token


def _registered(desk: Desk) -> Iterator[Any]:
    token = None
    while token != "":
        state = pb.OPERATOR_STATE_REGISTERED
        page = desk.ask(pb.ListOperatorsRequest(page_size=AT_ONCE, page_token=token or "", state=state), PROVINCE)
        yield from page.operators
        token = page.next_page_token
