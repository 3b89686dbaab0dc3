"""Registry's messages: what the sources observe of operators and sites, and what the registry announces."""

from datetime import date, datetime
from enum import StrEnum

from contracts.egress import FieldError
from contracts.model import Contract, Day, Whole
from contracts.trace import Category, Link


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
    line: Whole = 0
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
    wechat: str | None = None
    division: str | None = None
    link: Link | None = None
    unit_kind: UnitKind | None = None
    categories: tuple[Category, ...] = ()
    """What it says it deals in; empty when it does not say."""
    flags: tuple[FieldError, ...] = ()


class ObserveV1(Contract):
    """`registry.observe.v1`: a bundle, one per batch an adapter consumed."""

    observations: tuple[Observation, ...]


class OperatorState(StrEnum):
    """Life of an operator or of one of its sites (domain: "Life"); suspension and the ends stand beside it."""

    LISTED = "listed"
    REGISTERED = "registered"
    ACTIVATED = "activated"
    ON_CHAIN = "on_chain"
    ACTIVE = "active"
    INACTIVE = "inactive"
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
    """The site's own: one that is only on the roster is `listed`, whatever its operator has registered besides."""
    division: str | None = None
    link: Link | None = None
    unit_kind: UnitKind | None = None
    licence: str | None = None
    licence_valid_until: Day | None = None
    sources: tuple[str, ...] = ()
    version: Whole
    listed: bool = False
    """On the licence roster with an entry valid today: the denominator of the registration rate."""
    registered: bool = True
    activated_at: datetime | None = None
    suspended: bool = False
    closed_from: datetime | None = None
    closed_until: datetime | None = None
    """A declared closure, during which a site is not silent."""
    obligations: tuple[Category, ...] = ()
    """Categories of the 10+3 it must trace today, from the phases in force."""
    cell: str | None = None
    station: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    contact_wechat: str | None = None
    """The operator's named person (专人); WeChat by the openid of the official account."""
    helper: str | None = None
    """The officer who is its 1:1 contact (一对一联系帮扶)."""


class SitesChangedV1(Contract):
    """`registry.sites_changed.v1`: sites as they are now; a higher `version` wins, so order does not matter."""

    sites: tuple[SiteFacts, ...]


class Alias(Contract):
    """Two ids that are one site: read `alias` as `site`.

    A higher `version` wins, so order does not matter. An alias of itself stands alone again.
    """

    alias: str
    site: str
    version: Whole = 0


class SitesAliasedV1(Contract):
    """`registry.sites_aliased.v1`."""

    aliases: tuple[Alias, ...]


class Officer(Contract):
    """A person of the authorities whom notices reach."""

    officer: str
    name: str
    phone: str | None = None
    wechat: str | None = None
    email: str | None = None


class Cell(Contract):
    """A cell of the grid (网格), a tree that follows the divisions; `station` is in charge; a higher `version` wins."""

    cell: str
    parent: str | None = None
    name: str
    division: str
    station: str
    station_name: str | None = None
    officer: Officer | None = None
    version: Whole


class GridChangedV1(Contract):
    """`registry.grid_changed.v1`."""

    cells: tuple[Cell, ...]
