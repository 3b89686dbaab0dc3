"""Registry's messages: what the sources observe of operators and sites, and what the registry announces."""

from datetime import date, datetime
from enum import StrEnum

from contracts.egress import FieldError
from contracts.model import Contract
from contracts.trace import Link


class UnitKind(StrEnum):
    """The three kinds of unit of the 10+3 (S4): each owes all its categories."""

    SCHOOL_CANTEEN = "school_canteen"
    GROUP_MEAL = "group_meal"
    CENTRAL_KITCHEN = "central_kitchen"


class Observation(Contract):
    """One site, and the operator answering for it, as a source knows them.

    `site` and `operator` are ids by the strongest identifier given; `source_id` is the source's own id and is
    never lost.
    """

    id: str
    source: str
    source_id: str
    message_id: str
    line: int = 0
    observed_at: datetime
    site: str
    operator: str
    name: str
    site_name: str | None = None
    uscc: str | None = None
    id_number: str | None = None
    licence: str | None = None
    licence_valid_until: date | None = None
    address: str | None = None
    contact: str | None = None
    phone: str | None = None
    division: str | None = None
    link: Link | None = None
    unit_kind: UnitKind | None = None
    flags: tuple[FieldError, ...] = ()


class ObserveV1(Contract):
    """`registry.observe.v1`: a bundle, one per batch an adapter consumed."""

    observations: tuple[Observation, ...]


class OperatorState(StrEnum):
    """Life of an operator (domain: "Life"); suspension and the ends stand beside it."""

    LISTED = "listed"
    REGISTERED = "registered"
    ACTIVATED = "activated"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    DEREGISTERED = "deregistered"


class SiteFacts(Contract):
    """What other services may know of a site."""

    site: str
    operator: str
    name: str
    operator_name: str
    state: OperatorState
    division: str | None = None
    link: Link | None = None
    unit_kind: UnitKind | None = None
    licence: str | None = None
    licence_valid_until: date | None = None
    sources: tuple[str, ...] = ()
    version: int


class SitesChangedV1(Contract):
    """`registry.sites_changed.v1`: sites as they are now; a higher `version` wins, so order does not matter."""

    sites: tuple[SiteFacts, ...]


class Alias(Contract):
    """Two ids that are one site: read `alias` as `site`.

    A higher `version` wins, so order does not matter. An alias of itself stands alone again.
    """

    alias: str
    site: str
    version: int = 0


class SitesAliasedV1(Contract):
    """`registry.sites_aliased.v1`."""

    aliases: tuple[Alias, ...]
