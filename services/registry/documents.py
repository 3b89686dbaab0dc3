"""What the registry stores, as types: facts, and the operators made from them."""

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

Flag = dict[str, str | None]
"""A `contracts.egress.FieldError` as it is stored."""


class Listing(TypedDict):
    """An entry of a roster: days of validity (YYYY-MM-DD, both included), open where None."""

    kind: str
    since: str | None
    until: str | None


class Claim(TypedDict):
    """What one source told last of one site under one operator. `key` is the source's own id as a site id.

    Only a roster's claim has a `listing`.
    """

    source: str
    source_id: str
    key: str | None
    site: str
    operator: str
    observed_at: datetime
    told: dict[str, str]
    flags: list[Flag]
    listing: NotRequired[Listing]


class Merge(TypedDict):
    """A person's word that two ids are one site."""

    keep: str
    merge: str
    at: datetime
    who: str
    why: str


class Edit(TypedDict):
    """What a person set; it stands, whatever the sources tell, until a person sets it again."""

    of: Literal["operator", "site"]
    target: str
    field: str
    value: str
    at: datetime
    who: str


class SourceId(TypedDict):
    """An id that a source uses."""

    source: str
    id: str


class Standing(TypedDict):
    """How a site stands today (`standing`): its life, whether it is listed, what it owes, where in the grid it is."""

    state: str
    listed: bool
    activated_at: datetime | None
    obligations: list[str]
    cell: str | None
    station: str | None
    gaps: list[str]


class Site(Standing):
    """A site (场所). `ids` are all that mean it, its own among them; `version` grows with every change.

    `candidates` are what it shares with sites that may be the same one: name and address, or a source's own id.
    `placed` is the cell a person put it into, `helper` the officer who is its 1:1 contact; both may be gone.
    """

    site: str
    ids: list[str]
    name: str
    licence: str | None
    licence_valid_until: str | None
    address: str | None
    division: str | None
    link: str | None
    unit_kind: str | None
    source_ids: list[SourceId]
    areas: list[str]
    flags: list[Flag]
    candidates: list[str]
    categories: list[str]
    listings: list[Listing]
    registered: bool
    closed_from: str | None
    closed_until: str | None
    placed: str | None
    helper: str | None
    version: int


class Operator(TypedDict, total=False):
    """An operator (主体). `keys` are all ids its facts touch, `areas` prefixes of its sites' divisions.

    `due` is the next day on which time alone changes how a site stands.
    """

    _id: str
    ids: list[str]
    site_ids: list[str]
    keys: list[str]
    state: str
    name: str
    uscc: str | None
    contact: str | None
    phone: str | None
    wechat: str | None
    areas: list[str]
    flags: list[Flag]
    flag_rules: list[str]
    gaps: list[str]
    activated_at: datetime | None
    due: str | None
    sites: list[Site]
    claims: list[Claim]
    merges: list[Merge]
    edits: list[Edit]
    version: int
    created_at: datetime
    updated_at: datetime


class Mark(TypedDict):
    """First and last day (YYYY-MM-DD, Shanghai) with an accepted event, by the site id the events name."""

    _id: str
    first: str
    last: str


class Phase(TypedDict):
    """What starts when, where and for whom. `areas` as `contracts.divisions.scope_prefix`; none means everywhere."""

    _id: str
    name: str
    starts: str
    ends: str | None
    areas: list[str]
    duties: list[str]
    categories: list[str]
    unit_kinds: list[str]
    clause: str
    version: int


class CellRow(TypedDict):
    """A cell of the grid. `area` is its division as `contracts.divisions.scope_prefix`."""

    _id: str
    parent: str | None
    name: str
    division: str
    area: str
    station: str
    station_name: str | None
    officer: dict[str, str] | None
    version: int
