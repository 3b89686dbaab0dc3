"""What the registry stores, as types: facts, and the operators made from them."""

from datetime import datetime
from typing import Literal, TypedDict

Flag = dict[str, str | None]
"""A `contracts.egress.FieldError` as it is stored."""


class Claim(TypedDict):
    """What one source told last of one site under one operator. `key` is the source's own id as a site id."""

    source: str
    source_id: str
    key: str | None
    site: str
    operator: str
    observed_at: datetime
    told: dict[str, str]
    flags: list[Flag]


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


class Site(TypedDict):
    """A site (场所). `ids` are all that mean it, its own among them; `version` grows with every change.

    `candidates` are what it shares with sites that may be the same one: name and address, or a source's own id.
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
    version: int


class Operator(TypedDict, total=False):
    """An operator (主体). `keys` are all ids its facts touch, `areas` prefixes of its sites' divisions."""

    _id: str
    ids: list[str]
    site_ids: list[str]
    keys: list[str]
    state: str
    name: str
    uscc: str | None
    contact: str | None
    phone: str | None
    areas: list[str]
    flags: list[Flag]
    flag_rules: list[str]
    sites: list[Site]
    claims: list[Claim]
    merges: list[Merge]
    edits: list[Edit]
    version: int
    created_at: datetime
    updated_at: datetime
