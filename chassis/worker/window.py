"""What the broker delivered and no batch has taken yet."""

import time
from collections import deque
from collections.abc import Iterator
from typing import Final

from chassis.worker.delivery import Delivery

BATCH_BYTES: Final = 4 << 20
"""A batch ends here even when it has few messages: bundles are large, and a batch is one transaction."""

WINDOW_BYTES: Final = 2 * BATCH_BYTES
"""A window is no larger, whatever its messages: a thousand bundles waiting would be more than the process may have."""


class Window:
    """Deliveries in their order. `most` messages make a batch; it ends with the one that fills `most_bytes`.

    `latest` is what came last, and `arrived` when, in monotonic seconds: they outlive what is taken.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._deliveries: deque[Delivery] = deque()
        self._bytes = 0
        self.latest: Delivery | None = None
        self.arrived = time.monotonic()

    def __len__(self) -> int:
        return len(self._deliveries)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._deliveries)

    @property
    def full(self) -> bool:
        """Whether nothing more may come in until a batch is taken."""
        return self._bytes >= WINDOW_BYTES

    @property
    def has_batch(self) -> bool:
        """Whether a batch would be as large as one may be."""
        return len(self._deliveries) >= self._most or self._bytes >= self._most_bytes

    @property
    def since(self) -> float:
        """When the first of them came, in monotonic seconds."""
        return self._deliveries[0].at

    def add(self, delivery: Delivery) -> None:
        self.latest, self.arrived = delivery, delivery.at
        self._deliveries.append(delivery)
        self._bytes += len(delivery.body)

    def take(self) -> list[Delivery]:
        """The next batch."""
        batch: list[Delivery] = []
        size = 0
        while self._deliveries and len(batch) < self._most and size < self._most_bytes:
            batch.append(self._deliveries.popleft())
            size += len(batch[-1].body)
        self._bytes -= size
        return batch

    def clear(self) -> None:
        """Forgets them: the broker delivers again."""
        self._deliveries.clear()
        self._bytes = 0
