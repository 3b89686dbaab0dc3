"""Trace's messages: the canonical record, the capture command and the announcement of what was recorded."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from contracts.egress import FieldError
from contracts.model import Contract, Whole


class Step(StrEnum):
    """A critical tracking event (CTE): one step of a batch at one operator (domain: "Steps")."""

    FARMING = "farming"
    HARVEST = "harvest"
    PURCHASE = "purchase"
    STORING = "storing"
    TRANSPORT = "transport"
    SLAUGHTER = "slaughter"
    MAKING = "making"
    PACKING = "packing"
    UNPACKING = "unpacking"
    CHECKPOINT = "checkpoint"
    CLEANING = "cleaning"
    SHIPPING = "shipping"
    RECEIVING = "receiving"
    SELLING = "selling"
    KITCHEN_USE = "kitchen_use"
    RETAINED_SAMPLE = "retained_sample"
    RETURNING = "returning"
    DESTROYING = "destroying"


class Category(StrEnum):
    """The ten categories of the 10+3 (S4), and what lies outside them."""

    VEGETABLE = "vegetable"
    FRUIT = "fruit"
    AQUATIC = "aquatic"
    GRAIN = "grain"
    MEAT = "meat"
    DAIRY = "dairy"
    EDIBLE_OIL = "edible_oil"
    LIQUOR = "liquor"
    HEALTH_FOOD = "health_food"
    INFANT_FORMULA = "infant_formula"
    OTHER = "other"


class Link(StrEnum):
    """The link of the chain a site belongs to (环节)."""

    PRODUCTION = "production"
    CIRCULATION = "circulation"
    CATERING = "catering"
    SPECIAL_FOOD = "special_food"


class Party(Contract):
    """A site as a record names it, with the ids derived from its strongest identifier (`contracts.identity`).

    `site` is None when the record names somebody it does not identify (only a name, or "the buyer").
    `external` marks a documented origin or destination outside the province or abroad, `abroad` one that is said to be
    abroad, documented or not.
    """

    site: str | None = None
    operator: str | None = None
    name: str | None = None
    address: str | None = None
    contact: str | None = None
    uscc: str | None = None
    licence: str | None = None
    licence_valid_until: date | None = None
    division: str | None = None
    link: Link | None = None
    external: bool = False
    abroad: bool = False


class Lot(Contract):
    """Goods of one batch in one record; `batch` is the trace code.

    `quantity` is None where the unit cannot be converted: `quantity_text` then keeps the sender's words.
    `ear_tags` name the animals in the lot, each by 15 digits.
    """

    batch: str
    product: str | None = None
    specification: str | None = None
    category: Category = Category.OTHER
    quantity: Decimal | None = None
    unit: str | None = None
    quantity_text: str | None = None
    produced_on: str | None = None
    shelf_life_days: Whole | None = None
    ear_tags: tuple[str, ...] = ()


class Document(Contract):
    """A paper that travels with the goods; `contracts.papers` has its kinds and, for quarantine certificates, forms.

    A kind that is none of them is the sender's word. `quantity`, in `unit`, is what the paper certifies.
    """

    kind: str
    number: str
    form: str | None = None
    issuer: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    quantity: Decimal | None = None
    unit: str | None = None


class Record(Contract):
    """One step of one batch as a source reports it, in the platform's own words.

    `id` is deterministic (`contracts.identity.record_id`): a repeated record has the same id. `line` is its place
    in the source's message. `inputs` are the goods it uses, `outputs` the goods it makes or hands over: shipping,
    transport, selling and returning name the same lots in both, a receipt with a new in-batch code names the
    supplier's lot as input and its own as output. `production_line` names the line or equipment at the site; cleaning
    it (清场) is a step without goods.
    """

    id: str
    source: str
    message_id: str
    line: Whole = 0
    document: str | None = None
    step: Step
    time: datetime
    sent_at: datetime
    site: Party
    counterparty: Party | None = None
    inputs: tuple[Lot, ...] = ()
    outputs: tuple[Lot, ...] = ()
    documents: tuple[Document, ...] = ()
    vehicle: str | None = None
    production_line: str | None = None
    kdes: dict[str, str] = Field(default_factory=dict)
    flags: tuple[FieldError, ...] = ()


class CaptureV1(Contract):
    """`trace.capture.v1`: a bundle, one per batch an adapter consumed; each record gets its own verdict."""

    records: tuple[Record, ...]


class RecordedEvent(Contract):
    """The compact facts of one recorded event that others live on."""

    id: str
    source: str
    step: Step
    time: datetime
    sent_at: datetime
    site: str
    operator: str | None = None
    division: str | None = None
    counterparty: str | None = None
    categories: tuple[Category, ...] = ()
    batches: tuple[str, ...] = ()
    external: bool = False
    flags: tuple[str, ...] = ()


class EventsRecordedV1(Contract):
    """`trace.events_recorded.v1`: one announcement per committed batch."""

    events: tuple[RecordedEvent, ...]
