"""Between protobuf messages and the domain's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from shilian.registry.v1 import registry_pb2 as pb

from chassis.api.errors import Denied, FailedPrecondition, InvalidArgument
from chassis.api.times import timestamp
from contracts import rules
from services.registry.documents import Flag, Operator, Site
from services.registry.domain import Full, NotAllowed
from services.registry.proposals import Pair


def operator_message(operator: Operator) -> pb.Operator:
    """An operator document, or what a projection left of it, as its message."""
    return pb.Operator(
        operator_id=operator["_id"],
        name=operator["name"],
        uscc=operator.get("uscc") or "",
        contact=operator.get("contact") or "",
        phone=operator.get("phone") or "",
        wechat=operator.get("wechat") or "",
        state=state_number(operator["state"]),
        sites=[site_message(site, operator["_id"]) for site in operator["sites"]],
        flags=map(_flag, operator["flags"]),
        create_time=timestamp(operator["created_at"]),
        update_time=timestamp(operator["updated_at"]),
        version=operator["version"],
    )


def site_message(site: Site, operator_id: str) -> pb.Site:
    """A site of an operator as its message."""
    return pb.Site(
        site_id=site["site"],
        operator_id=operator_id,
        name=site["name"],
        licence=site["licence"] or "",
        licence_valid_until=site["licence_valid_until"] or "",
        address=site["address"] or "",
        division=site["division"] or "",
        link=pb.Link.Value(f"LINK_{site['link'].upper()}") if site["link"] else pb.LINK_UNSPECIFIED,
        unit_kind=unit_kind_number(site["unit_kind"]),
        source_ids=[pb.SourceId(source=each["source"], id=each["id"]) for each in site["source_ids"]],
        aliases=[id for id in site["ids"] if id != site["site"]],
        flags=map(_flag, site["flags"]),
        version=site["version"],
        state=state_number(site["state"]),
        listed=site["listed"],
        registered=site["registered"],
        activate_time=_stamp(site["activated_at"]),
        closed_from=_stamp(site["closed_from"]),
        closed_until=_stamp(site["closed_until"]),
        categories=map(category_number, site["categories"]),
        obligations=map(category_number, site["obligations"]),
        cell_id=site["cell"] or "",
        station=site["station"] or "",
        helper=site["helper"] or "",
    )


def proposal_message(pair: Pair) -> pb.MergeProposal:
    """A pair that may be one site; its reason is `name_address` or `source_id`."""
    left, right = site_message(*pair.left), site_message(*pair.right)
    return pb.MergeProposal(
        proposal_id=f"{pair.candidate}|{left.site_id}|{right.site_id}",
        left=left,
        right=right,
        reason=pair.candidate.partition(":")[0],
    )


@contextmanager
def refused() -> Iterator[None]:
    """Turns the domain's refusal into the caller's: Denied, or FailedPrecondition when the state forbids it."""
    try:
        yield
    except Full as error:
        raise FailedPrecondition("too_many_sites", str(error), {"operator": error.operator}) from error
    except NotAllowed as error:
        known = {"state": error.state, "step": error.step}
        if error.reason == "role":
            raise Denied("role", str(error), known) from error
        raise FailedPrecondition(f"operator_{error.state}", str(error), known) from error


def unit_kind_number(kind: str | None) -> pb.UnitKind.ValueType:
    """A unit kind's number on the wire."""
    return pb.UnitKind.Value(f"UNIT_KIND_{kind.upper()}") if kind else pb.UNIT_KIND_UNSPECIFIED


def state_number(state: str) -> pb.OperatorState.ValueType:
    """A state's number on the wire."""
    return pb.OperatorState.Value(f"OPERATOR_STATE_{state.upper()}")


def _flag(flag: Flag) -> pb.Flag:
    return pb.Flag(**{name: value or "" for name, value in flag.items()})


def _stamp(time: datetime | str | None) -> Timestamp | None:
    return timestamp(datetime.fromisoformat(time) if isinstance(time, str) else time)


def category_number(category: str) -> pb.Category.ValueType:
    """A category's number on the wire."""
    return pb.Category.Value(f"CATEGORY_{category.upper()}")


def state_word(state: int) -> str:
    """`activated`; empty when not specified. Raises InvalidArgument for a number that names none."""
    return _word(pb.OperatorState, state, "OPERATOR_STATE")


def link_word(link: int) -> str:
    """`catering`; empty when not specified. Raises InvalidArgument for a number that names none."""
    return _word(pb.Link, link, "LINK")


def unit_kind_word(kind: int) -> str:
    """`school_canteen`; empty when not specified. Raises InvalidArgument for a number that names none."""
    return _word(pb.UnitKind, kind, "UNIT_KIND")


def category_word(category: int) -> str:
    """`meat`; empty when not specified. Raises InvalidArgument for a number that names none."""
    return _word(pb.Category, category, "CATEGORY")


def roster_kind_word(kind: int) -> str:
    """`licence`; empty when not specified. Raises InvalidArgument for a number that names none."""
    return _word(pb.RosterKind, kind, "ROSTER_KIND")


def gap_word(gap: int) -> str:
    """`officer`; empty when not specified. Raises InvalidArgument for a number that names none."""
    return _word(pb.Gap, gap, "GAP")


def _word(names: Any, number: int, prefix: str) -> str:
    if number not in names.values():
        raise InvalidArgument([rules.error(prefix.lower(), number, "invalid_value")])
    return str(names.Name(number)).removeprefix(f"{prefix}_").lower() if number else ""
