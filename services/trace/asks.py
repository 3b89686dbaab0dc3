"""What pure rules ask of trace's store; `walks.store.query` is the one find that answers each.

Events come in two shapes. A walk lives on raw documents with nothing but what `walks.store.RAW_FIELDS` names. What is
shown or reckoned with is asked for by id and comes as `lineage.Event`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from services.trace.walks.chain import Direction

Raw = Mapping[str, Any]
"""An event as a walk reads it: `_id`, `inputs`, `outputs`, `day`, and where it has them `pairs` and `abroad`."""


class Cut(list[Raw]):
    """Events that answer a request, and are not all that would."""


class Bounds(NamedTuple):
    """Which events count: that happened in [since, until), that were recorded by `as_of`. Aware times."""

    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None


class EventsOf(NamedTuple):
    """Request: raw events, with `site` and `batches`, that name one of these batches."""

    batches: tuple[str, ...]
    bounds: Bounds = Bounds()
    most: int = 0


class EventsOn(NamedTuple):
    """Request: the same of events that lead from or to one of these nodes."""

    keys: tuple[str, ...]
    bounds: Bounds = Bounds()
    most: int = 0


class EventsCiting(NamedTuple):
    """Request: the same of events that name a document by its number, or an animal by its ear tag; with `lots`."""

    reference: str
    bounds: Bounds = Bounds()
    most: int = 0


class EventsAt(NamedTuple):
    """Request: raw events found by these nodes when walking in a direction."""

    direction: Direction
    keys: tuple[str, ...]
    bounds: Bounds = Bounds()
    most: int = 0


class GoodsAt(NamedTuple):
    """Request: events that bring goods to these nodes or, unless `inward`, take some from them, as far as `books` read
    documents; with their time when `dated`.
    """

    keys: tuple[str, ...]
    bounds: Bounds = Bounds()
    most: int = 0
    dated: bool = False
    inward: bool = False


class SalesNaming(NamedTuple):
    """Request: which of these sales name who bought, though no site: raw events with nothing but `_id`."""

    ids: tuple[str, ...]


class EventsNamed(NamedTuple):
    """Request: the events of these ids, as `lineage.Event`."""

    ids: tuple[str, ...]


class SitesOf(NamedTuple):
    """Request: what the registry told of these sites and of their aliases, as `sites.Row`."""

    sites: tuple[str, ...]


class AliasesOf(NamedTuple):
    """Request: only which of these sites are aliases, and which aliases they have, as `sites.Row`."""

    sites: tuple[str, ...]
