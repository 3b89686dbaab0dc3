"""Lists, grid, phases and imports as protobuf messages."""

from collections.abc import Mapping
from typing import Any, Final

from shilian.registry.v1 import registry_pb2 as pb

from chassis.api.times import timestamp
from contracts.registry import OperatorState
from services.registry.documents import Operator, Site
from services.registry.standing import day_of
from services.registry.translate import category_number, site_message, unit_kind_number

_PROGRESS: Final = ("division", "complete", "rows", "refused", "taken", "changed", "ended", "done")


def facts_message(site: Site, operator: Operator) -> pb.SiteFacts:
    """A site as `registry.sites_changed.v1` tells of it; the named person as far as the caller may see them."""
    return pb.SiteFacts(
        site=site_message(site, operator["_id"]),
        operator_name=operator["name"],
        suspended=site["state"] == OperatorState.SUSPENDED,
        contact_name=operator.get("contact") or "",
        contact_phone=operator.get("phone") or "",
        contact_wechat=operator.get("wechat") or "",
        sources=sorted({each["source"] for each in site["source_ids"]}),
    )


def obligation_message(site: Site, operator_id: str, category: str) -> pb.Obligation:
    """One category that a site must trace."""
    return pb.Obligation(
        site_id=site["site"],
        operator_id=operator_id,
        category=category_number(category),
        unit_kind=unit_kind_number(site["unit_kind"]),
        division=site["division"] or "",
    )


def gaps_message(site: Site, operator_id: str) -> pb.SiteGaps:
    """What the grid lacks of a site."""
    return pb.SiteGaps(
        site_id=site["site"],
        operator_id=operator_id,
        name=site["name"],
        division=site["division"] or "",
        cell_id=site["cell"] or "",
        gaps=[pb.Gap.Value(f"GAP_{gap.upper()}") for gap in site["gaps"]],
    )


def cell_message(row: Mapping[str, Any]) -> pb.Cell:
    """A cell and who is in charge of it."""
    officer = row["officer"]
    return pb.Cell(
        cell_id=row["_id"],
        parent_id=row["parent"] or "",
        name=row["name"],
        division=row["division"],
        station=row["station"],
        station_name=row["station_name"] or "",
        officer=_officer(officer) if officer else None,
        version=row["version"],
    )


def _officer(row: Mapping[str, str]) -> pb.Officer:
    reach = {name: row.get(name, "") for name in ("name", "phone", "wechat", "email")}
    return pb.Officer(officer_id=row["officer"], **reach)


def phase_message(row: Mapping[str, Any]) -> pb.Phase:
    """A phase; its divisions as prefixes."""
    return pb.Phase(
        phase_id=row["_id"],
        name=row["name"],
        starts_on=row["starts"],
        ends_on=row["ends"] or "",
        divisions=row["areas"],
        duties=row["duties"],
        categories=map(category_number, row["categories"]),
        unit_kinds=map(unit_kind_number, row["unit_kinds"]),
        clause=row["clause"],
        version=row["version"],
    )


def roster_message(row: Mapping[str, Any]) -> pb.RosterImport:
    """How far an import is."""
    return pb.RosterImport(
        import_id=row["_id"],
        kind=pb.RosterKind.Value(f"ROSTER_KIND_{row['kind'].upper()}"),
        as_of=day_of(row["as_of"]),
        **{name: row[name] for name in _PROGRESS},
    )


def change_message(row: Mapping[str, Any]) -> pb.Change:
    """A row of what happened."""
    return pb.Change(
        kind=row["kind"],
        time=timestamp(row["at"]),
        who=row["who"],
        role=row["role"],
        why=row["why"],
        operator_id=row["operator"] or "",
        site_id=row["site"] or "",
        cell_id=row["cell"] or "",
        detail=row["detail"],
    )
