"""What an examination asks for; `store` says how the store answers. Events are sent as `statements.Statement`."""

from datetime import date
from typing import Final, NamedTuple

from services.trace.asks import SitesOf

MOST: Final = 20_000
"""Events that answer one request, some 60 MB of them."""


class Crowd:
    """Answer to `Touching`, `LeadingTo` or `Citing` that more than `MOST` events would make."""


class Named(NamedTuple):
    """Request: the events of these ids, those declared errors among them."""

    ids: tuple[str, ...]


class Touching(NamedTuple):
    """Request: the events that take goods from these nodes or bring some there."""

    nodes: tuple[str, ...]


class LeadingTo(NamedTuple):
    """Request: the events that bring goods to these nodes."""

    nodes: tuple[str, ...]


class Citing(NamedTuple):
    """Request: the events that name these numbers, of papers or animals."""

    numbers: tuple[str, ...]


class Watched(NamedTuple):
    """Request: of these numbers of papers, those that some event, even a declared error, tells a quantity of,
    or animals under.
    """

    numbers: tuple[str, ...]


class OnVehicle(NamedTuple):
    """Request: the events of a vehicle on a day in Shanghai."""

    days: tuple[tuple[str, date], ...]


class ToldAgain(NamedTuple):
    """Request: these events, and second reports of them."""

    origins: tuple[str, ...]


class Licensed(NamedTuple):
    """Request: until when the registry says that sites are licensed, a date by site: of those that were no longer so
    on the day `before`, and of the `doubted` ones.
    """

    sites: tuple[str, ...]
    before: date
    doubted: tuple[str, ...]


class Doubted(NamedTuple):
    """Request: the receipts of open findings of meat without papers about these batches, by id."""

    batches: tuple[str, ...]


Request = Named | Touching | LeadingTo | Citing | Watched | OnVehicle | ToldAgain | Licensed | Doubted | SitesOf
