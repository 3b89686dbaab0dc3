"""约谈 (interview) the first time, 问责 (accountability) from the second on, per unit and department. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from contracts.fields import SHANGHAI
from contracts.inspection import CaseState
from services.inspection.documents import Handling
from services.inspection.places import Place

PARTIES: Final = ("unit", "department")
INTERVIEW, ACCOUNTABILITY = "interview", "accountability"


class Earlier(NamedTuple):
    """An earlier case about the same item, against the same unit or department."""

    parties: frozenset[str]
    opened_at: datetime
    state: str


def parties(place: Place) -> dict[str, str]:
    """The unit and the department that a case is about, by name."""
    return {"unit": place.operator or place.site, "department": place.station or place.division or "-"}


def called_for(place: Place, at: datetime, earlier: Sequence[Earlier]) -> list[Handling]:
    """What a new case calls for against its unit and its department."""
    return [
        {"party": party, "name": name, "handling": handling(name, at, earlier), "held": None}
        for party, name in parties(place).items()
    ]


def handling(name: str, at: datetime, earlier: Iterable[Earlier]) -> str:
    """约谈 the first time, 问责 from the second on: within 12 months, or while an older one is not put right.

    Cases of one day are one occasion.
    """
    before = _before(name, at, earlier)
    again = within_a_year(name, at, before) or any(each.state == CaseState.OPEN for each in before)
    return ACCOUNTABILITY if again else INTERVIEW


def within_a_year(name: str, at: datetime, earlier: Iterable[Earlier]) -> bool:
    """Whether somebody had a case of an earlier day of these 12 months (regulation 67)."""
    since = a_year_before(at)
    return any(each.opened_at >= since for each in _before(name, at, earlier))


def _before(name: str, at: datetime, earlier: Iterable[Earlier]) -> list[Earlier]:
    return [each for each in earlier if name in each.parties and _day(each.opened_at) < _day(at)]


def a_year_before(at: datetime) -> datetime:
    """The same moment of the day twelve months earlier in Shanghai; 29 February has 28 February."""
    local = at.astimezone(SHANGHAI)
    day = 28 if (local.month, local.day) == (2, 29) else local.day
    return local.replace(year=local.year - 1, day=day)


def _day(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date()
