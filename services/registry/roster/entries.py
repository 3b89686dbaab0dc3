"""Rows of a roster as the claims they make, or as what is wrong with them, row by row."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from contracts import divisions, fields, identity, rules
from contracts.egress import FieldError
from contracts.registry import Observation, UnitKind
from contracts.trace import Category, Link
from services.registry.claims import ROSTER, listed
from services.registry.documents import Claim, Listing
from services.registry.roster.tables import Row

KINDS: Final[Mapping[str, Link | None]] = {
    "licence": None,
    "filing": None,
    "small_vendor": None,
    "stall": Link.CIRCULATION,
    "farm": Link.PRODUCTION,
}
"""What a roster may list, and the link of those whose row names none."""

_LINKS: Final = {
    Link.SPECIAL_FOOD: "特食 特殊食品 special_food",
    Link.CATERING: "餐饮 食堂 catering",
    Link.PRODUCTION: "生产 加工 种植 养殖 屠宰 production",
    Link.CIRCULATION: "流通 销售 经营 批发 零售 circulation",
}
_UNITS: Final = {
    UnitKind.SCHOOL_CANTEEN: "学校食堂 校园食堂 托幼机构食堂 school_canteen",
    UnitKind.GROUP_MEAL: "集体用餐配送 group_meal",
    UnitKind.CENTRAL_KITCHEN: "中央厨房 central_kitchen",
}
_NO_END: Final = frozenset({"长期", "永久", "无固定期限", "长期有效"})
_BETWEEN: Final = re.compile(r"[、,，;；/|\s]+")


def _link(value: Any) -> Link | None:
    """Raises `invalid_value` for a word that names no link."""
    words = fields.optional_text(value)
    if words is None:
        return None
    for link, known in _LINKS.items():
        if any(word in words for word in known.split()):
            return link
    raise PydanticCustomError("invalid_value", "no link")


def _unit_kind(value: Any) -> UnitKind | None:
    """One of the three kinds; a list names many others, which are none of them."""
    words = fields.optional_text(value) or ""
    return next((kind for kind, known in _UNITS.items() if any(word in words for word in known.split())), None)


def _categories(value: Any) -> tuple[Category, ...]:
    found = {fields.category(word) for word in _BETWEEN.split(fields.optional_text(value) or "") if word}
    return tuple(sorted(found - {Category.OTHER}))


def _day(value: Any) -> str | None:
    """A day; 长期 is none. Raises `time_unreadable`."""
    words = fields.optional_text(value)
    if words is None or words in _NO_END:
        return None
    return fields.local_time(words).astimezone(fields.SHANGHAI).date().isoformat()


def _division(value: Any) -> str | None:
    words = fields.optional_text(value)
    if words and not (words.isascii() and words.isdigit()):
        raise PydanticCustomError("invalid_value", "no code of a division")
    return words


Words = Annotated[str | None, BeforeValidator(fields.optional_text)]


class Entry(BaseModel):
    """A row as it is meant."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: fields.Text
    site_name: Words = None
    uscc: Words = None
    id_number: Words = None
    licence: Words = None
    local_number: Words = None
    source: Words = None
    source_id: Words = None
    address: Words = None
    division: Annotated[str | None, BeforeValidator(_division)] = None
    contact: Words = None
    phone: Words = None
    link: Annotated[Link | None, BeforeValidator(_link)] = None
    unit_kind: Annotated[UnitKind | None, BeforeValidator(_unit_kind)] = None
    categories: Annotated[tuple[Category, ...], BeforeValidator(_categories)] = ()
    valid_from: Annotated[str | None, BeforeValidator(_day)] = None
    valid_until: Annotated[str | None, BeforeValidator(_day)] = None


@dataclass(frozen=True)
class Import:
    """What all rows of an import share: the list's kind, place and time, and its id."""

    id: str
    kind: str
    division: str
    as_of: datetime

    @property
    def area(self) -> str:
        """Its place as `contracts.divisions.scope_prefix`."""
        return divisions.scope_prefix(self.division)


@dataclass
class Read:
    """What became of rows: the claims of those in order, and by row number what is wrong with the others."""

    claims: list[Claim] = field(default_factory=list)
    errors: list[tuple[int, FieldError]] = field(default_factory=list)
    refused: int = 0

    def refuse(self, number: int, errors: Iterable[FieldError]) -> None:
        """A row that is not taken in."""
        self.refused += 1
        self.errors += [(number, error) for error in errors]


def read(rows: Iterable[Row], meant: Import) -> Read:
    """All rows. A second row of one site that says something else is refused: which of the two holds?"""
    found, told = Read(), dict[tuple[str, str], Claim]()
    for row in rows:
        try:
            claim = _claim(row, Entry.model_validate(row.cells), meant)
        except ValidationError as invalid:
            found.refuse(row.number, rules.validation_errors(invalid))
            continue
        errors = [*_wrong(claim, meant)]
        place = (claim["site"], claim["operator"])
        if not errors and told.get(place, claim) != claim:
            errors = [rules.error("site", claim["site"], "id_reused")]
        if errors:
            found.refuse(row.number, errors)
        elif place not in told:
            told[place] = claim
            found.claims.append(claim)
    return found


def _claim(row: Row, entry: Entry, meant: Import) -> Claim:
    source = entry.source or ("market" if meant.kind == "stall" else None)
    own = {"source": source, "source_id": entry.source_id}
    key = identity.site_id(**own)
    codes = {"uscc": entry.uscc, "licence": entry.licence, "id_number": entry.id_number}
    told = entry.model_dump(exclude={"local_number", "source", "source_id", "valid_from", "valid_until"})
    told |= {"division": entry.division or meant.division, "link": entry.link or KINDS[meant.kind]}
    observation = Observation(
        id=f"{meant.id}:{row.number}",
        source=ROSTER,
        # An id that the site was once listed under stays known: entries of two ids do not replace each other.
        source_id=f"{meant.kind}:{key}" if key else meant.kind,
        message_id=meant.id,
        line=row.number,
        observed_at=meant.as_of,
        site=identity.site_id(**codes, local_number=entry.local_number, **own) or "",
        operator=identity.operator_id(**codes, **own) or "",
        **told,
    )
    listing: Listing = {"kind": meant.kind, "since": entry.valid_from, "until": entry.valid_until}
    return listed(observation, key, listing)


def _wrong(claim: Claim, meant: Import) -> Iterable[FieldError]:
    if not claim["site"] or not claim["operator"]:
        yield rules.error("licence", None, "no_site")
    if not claim["told"]["division"].startswith(meant.area):
        yield rules.error("division", claim["told"]["division"], "invalid_value")
    since, until = claim["listing"]["since"], claim["listing"]["until"]
    if since and until and since > until:
        yield rules.error("valid_until", until, "time_order")


def as_of(day: str, now: datetime) -> datetime:
    """The moment a list of that day speaks for: of two made in one day the one imported later holds.

    Raises ValueError for what is no day, or one to come.
    """
    today = now.astimezone(fields.SHANGHAI)
    drawn_up = date.fromisoformat(day) if day else today.date()
    if drawn_up > today.date():
        raise ValueError("a day to come")
    return datetime.combine(drawn_up, today.timetz()).astimezone(now.tzinfo)
