"""What callers ask to be changed, as claims and edits."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from shilian.registry.v1 import registry_pb2 as pb

from chassis.api.errors import Denied, InvalidArgument
from chassis.api.times import moment
from chassis.caller import Caller
from contracts import identity, rules
from contracts.egress import FieldError
from contracts.registry import Observation, UnitKind
from contracts.trace import Category, Link
from services.registry.claims import SELF, claimed
from services.registry.documents import Claim, Edit, Operator
from services.registry.domain import EDITABLE
from services.registry.identities import may_be_one
from services.registry.queries import visible
from services.registry.translate import category_word, link_word, unit_kind_word

MOST_BYTES: Final = 1 << 16
_SITE_PATHS: Final = ("name", "address", "division", "link", "unit_kind")


def require_small(request: pb.RegisterOperatorRequest | pb.UpdateOperatorRequest) -> None:
    """Raises InvalidArgument for a request that would outgrow the operator's document; real ones have a few kB."""
    if request.ByteSize() > MOST_BYTES:
        raise InvalidArgument([rules.error("", request.ByteSize(), "too_large")])


def registration(request: pb.RegisterOperatorRequest, caller: Caller, now: datetime) -> list[Claim]:
    """What a registration claims, a claim for each site.

    Raises InvalidArgument when something is missing, Denied for another operator or a site elsewhere.
    """
    require_small(request)
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


def require_own(component: Iterable[Operator], claims: Iterable[Claim], caller: Caller) -> None:
    """Raises Denied when a site that is claimed is another's already: an operator's who is known as well as the caller,
    or, for a regulator, one outside its division."""
    claimed = {claim["site"] for claim in claims}
    for operator in component:
        seen = visible(operator, caller)["sites"]
        for site in operator["sites"]:
            if claimed.isdisjoint(site["ids"]):
                continue
            taken = caller.role == "operator" and not may_be_one(operator["_id"], caller.operator_id or "")
            if taken or site not in seen:
                raise Denied("site", f"{site['site']} is another's", {"site": site["site"]})


def _site_id(request: pb.RegisterOperatorRequest, site: pb.NewSite) -> str | None:
    return identity.site_id(
        licence=site.licence, uscc=request.uscc, local_number=site.local_number, id_number=request.id_number
    )


def _missing(
    request: pb.RegisterOperatorRequest, operator: str | None, sites: list[str | None]
) -> Iterator[FieldError]:
    if not request.name.strip():
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
        wechat=request.wechat or None,
        division=new.division,
        link=Link(link_word(new.link)) if new.link else None,
        unit_kind=UnitKind(unit_kind_word(new.unit_kind)) if new.unit_kind else None,
        categories=tuple(Category(category_word(category)) for category in new.categories if category),
    )


def edits(request: pb.UpdateOperatorRequest, operator: Operator, caller: Caller, now: datetime) -> list[Edit]:
    """What an update sets. Mask paths: `name`, `contact`, `phone`, `wechat`, `sites`.

    Of each site given, its fields that are not empty are set. Raises InvalidArgument for another path or a site that
    is not the operator's, Denied for a field that is not the caller's to set.
    """
    require_small(request)
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


def closure(request: pb.DeclareClosureRequest, site: str, now: datetime, who: str) -> list[Edit]:
    """From when (now, when not said) until when a site is closed; without an end, until somebody says more.

    Raises InvalidArgument for an end before the beginning.
    """
    start, end = moment(request, "closed_from") or now, moment(request, "closed_until")
    if end and end < start:
        raise InvalidArgument([rules.error("closed_until", end.isoformat(), "time_order")])
    told = {"closed_from": start.isoformat(), "closed_until": end.isoformat() if end else ""}
    return [Edit(of="site", target=site, field=field, value=value, at=now, who=who) for field, value in told.items()]
