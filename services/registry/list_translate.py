"""Lists of sites, and what happened to whom, as protobuf messages."""

from collections.abc import Mapping
from typing import Any

from shilian.registry.v1 import registry_pb2 as pb

from chassis.api.times import timestamp
from contracts.registry import OperatorState
from services.registry.documents import Operator, Site
from services.registry.translate import category_number, site_message, unit_kind_number


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
