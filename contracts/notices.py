"""What notify and reporting tell: deliveries as they stand, and that a bulletin is out."""

from datetime import datetime

from contracts.model import Contract, Whole


class DeliveryFacts(Contract):
    """One message to one recipient for one cause on one channel, as it stands; a higher `version` wins."""

    id: str
    cause: str
    event: str
    recipient: str
    channel: str
    state: str
    attempts: Whole
    version: Whole
    created_at: datetime
    division: str | None = None
    error: str | None = None


class DeliveriesChangedV1(Contract):
    """`notify.deliveries_changed.v1`."""

    deliveries: tuple[DeliveryFacts, ...]


class BulletinPublishedV1(Contract):
    """`reporting.bulletin_published.v1`: month as `2026-10`, version from 1, and why there is a new version."""

    month: str
    version: Whole
    division: str
    frozen_at: datetime
    reason: str | None = None
