"""Between protobuf messages and the domain's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from shilian.registry.v1 import registry_pb2 as pb

from chassis.api.auth import Caller
from chassis.api.errors import Denied, FailedPrecondition, InvalidArgument
from contracts import identity, rules
from contracts.egress import FieldError
from contracts.registry import Observation, UnitKind
from contracts.trace import Link
from services.registry.claims import SELF, Claim, Flag, claimed
from services.registry.domain import EDITABLE, NotAllowed
from services.registry.proposals import Pair
from services.registry.views import Edit, Operator, Site

_SITE_PATHS: Final = ("name", "address", "division", "link", "unit_kind")


def operator_message(operator: Operator) -> pb.Operator:
    """An operator document, or what a projection left of it, as its message."""
    return pb.Operator(
        operator_id=operator["_id"],
        name=operator["name"],
        uscc=operator.get("uscc") or "",
        contact=operator.get("contact") or "",
        phone=operator.get("phone") or "",
        state=state_number(operator["state"]),
        sites=[site_message(site, operator["_id"]) for site in operator["sites"]],
        flags=map(_flag, operator["flags"]),
        create_time=_timestamp(operator["created_at"]),
        update_time=_timestamp(operator["updated_at"]),
        version=operator["version"],
    )


def site_message(site: Site, operator_id: str) -> pb.Site:
    """A site of an operator as its message."""
    return pb.Site(
        site_id=site["site"],
        operator_id=operator_id,
        name=site["name"],
        licence=site["licence"] or "",
        address=site["address"] or "",
        division=site["division"] or "",
        link=pb.Link.Value(f"LINK_{site['link'].upper()}") if site["link"] else pb.LINK_UNSPECIFIED,
        unit_kind=_unit_kind(site["unit_kind"]),
        source_ids=[pb.SourceId(source=each["source"], id=each["id"]) for each in site["source_ids"]],
        aliases=[id for id in site["ids"] if id != site["site"]],
        flags=map(_flag, site["flags"]),
        version=site["version"],
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
    except NotAllowed as error:
        known = {"state": error.state, "step": error.step}
        if error.reason == "role":
            raise Denied("role", str(error), known) from error
        raise FailedPrecondition(f"operator_{error.state}", str(error), known) from error


def _unit_kind(kind: str | None) -> pb.UnitKind.ValueType:
    return pb.UnitKind.Value(f"UNIT_KIND_{kind.upper()}") if kind else pb.UNIT_KIND_UNSPECIFIED


def state_number(state: str) -> pb.OperatorState.ValueType:
    """A state's number on the wire."""
    return pb.OperatorState.Value(f"OPERATOR_STATE_{state.upper()}")


def _flag(flag: Flag) -> pb.Flag:
    return pb.Flag(**{name: value or "" for name, value in flag.items()})


def _timestamp(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp


def state_word(state: pb.OperatorState.ValueType) -> str:
    """`activated`; empty when not specified."""
    return pb.OperatorState.Name(state).removeprefix("OPERATOR_STATE_").lower() if state else ""


def link_word(link: pb.Link.ValueType) -> str:
    """`catering`; empty when not specified."""
    return pb.Link.Name(link).removeprefix("LINK_").lower() if link else ""


def unit_kind_word(kind: pb.UnitKind.ValueType) -> str:
    """`school_canteen`; empty when not specified."""
    return pb.UnitKind.Name(kind).removeprefix("UNIT_KIND_").lower() if kind else ""


def registration(request: pb.RegisterOperatorRequest, caller: Caller, now: datetime) -> list[Claim]:
    """What a registration claims, a claim for each site.

    Raises InvalidArgument when something is missing, Denied for another operator or a site elsewhere.
    """
    operator = identity.operator_id(
        uscc=request.uscc, id_number=request.id_number, licence=request.sites[0].licence if request.sites else None
    )
    sites = [_site_id(request, site) for site in request.sites]
    wrong = [*_missing(request, operator, sites)]
    if wrong or operator is None:
        raise InvalidArgument(wrong)
    if caller.role == "operator" and caller.operator_id != operator:
        raise Denied("operator", "an operator registers itself only")
    for new in request.sites:
        require_inside(caller, new.division)
    return [
        claimed(_observation(request, operator, id, new, now))
        for id, new in zip(sites, request.sites, strict=True)
        if id
    ]


def require_inside(caller: Caller, division: str) -> None:
    """Raises Denied when a regulator speaks for a place outside its division."""
    if caller.role == "regulator" and caller.division and not division.startswith(caller.division):
        raise Denied("division", f"{division} lies outside the caller's division", {"division": division})


def _site_id(request: pb.RegisterOperatorRequest, site: pb.NewSite) -> str | None:
    return identity.site_id(
        licence=site.licence, uscc=request.uscc, local_number=site.local_number, id_number=request.id_number
    )


def _missing(
    request: pb.RegisterOperatorRequest, operator: str | None, sites: list[str | None]
) -> Iterator[FieldError]:
    if not request.name:
        yield rules.error("name", None, "required")
    if operator is None:
        yield rules.error("uscc", request.uscc, "no_operator")
    if not sites:
        yield rules.error("sites", None, "required")
    for place, (id, new) in enumerate(zip(sites, request.sites, strict=True)):
        # Two sites of one id could not be told apart: the second needs a licence or a number of its own.
        if id is None or id in sites[:place]:
            yield rules.error(f"sites[{place}]", id, "no_site")
        if not new.division:
            yield rules.error(f"sites[{place}].division", None, "required")


def _observation(
    request: pb.RegisterOperatorRequest, operator: str, site: str, new: pb.NewSite, now: datetime
) -> Observation:
    """A registration as an observation of the registry's own: one way in for all."""
    return Observation(
        id=f"{request.request_id}:{site}",
        source=SELF,
        source_id=site,
        message_id=request.request_id,
        observed_at=now,
        site=site,
        operator=operator,
        name=request.name,
        site_name=new.name or None,
        uscc=request.uscc or None,
        id_number=request.id_number or None,
        licence=new.licence or None,
        address=new.address or None,
        contact=request.contact or None,
        phone=request.phone or None,
        division=new.division,
        link=Link(link_word(new.link)) if new.link else None,
        unit_kind=UnitKind(unit_kind_word(new.unit_kind)) if new.unit_kind else None,
    )


def edits(request: pb.UpdateOperatorRequest, operator: Operator, caller: Caller, now: datetime) -> list[Edit]:
    """What an update sets. Mask paths: `name`, `contact`, `phone`, `sites`.

    Of each site given, its fields that are not empty are set. Raises InvalidArgument for another path or a site that
    is not the operator's, Denied for a field that is not the caller's to set.
    """
    found = [*_edits(request, operator, caller, now)]
    for edit in found:
        if caller.role not in EDITABLE[edit["of"], edit["field"]]:
            raise Denied("field", f"a {caller.role} may not set {edit['field']}", {"field": edit["field"]})
        if edit["field"] == "division":
            require_inside(caller, edit["value"])
    return found


def _edits(request: pb.UpdateOperatorRequest, operator: Operator, caller: Caller, now: datetime) -> Iterator[Edit]:
    new = request.operator
    for path in request.update_mask.paths:
        if ("operator", path) in EDITABLE:
            value = getattr(new, path)
            yield Edit(of="operator", target=operator["_id"], field=path, value=value, at=now, who=caller.subject)
        elif path == "sites":
            for place, site in enumerate(new.sites):
                target = _own_site(operator, site.site_id, place)
                for field, value in _given(site).items():
                    yield Edit(of="site", target=target, field=field, value=value, at=now, who=caller.subject)
        else:
            raise InvalidArgument([rules.error("update_mask", path, "invalid_value")])


def _own_site(operator: Operator, id: str, place: int) -> str:
    for site in operator["sites"]:
        if id in site["ids"]:
            return site["site"]
    raise InvalidArgument([rules.error(f"operator.sites[{place}].site_id", id, "no_site")])


def _given(site: pb.Site) -> dict[str, str]:
    words = {"link": link_word(site.link), "unit_kind": unit_kind_word(site.unit_kind)}
    given = {field: words.get(field) or getattr(site, field) for field in _SITE_PATHS}
    return {field: value for field, value in given.items() if value}
