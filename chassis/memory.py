"""What a process does with what it needs no more, when it makes much at once: a batch of events, a walk, a page."""

import ctypes
import gc
import logging
from typing import Final, NamedTuple

log = logging.getLogger(__name__)


class Pace(NamedTuple):
    """How many objects are made between two searches of the young, and after how many of these also the older ones.

    At Python's 700 objects, searching took a third of the time of a batch, half of a long walk. Objects that outlived
    one search are looked at after `older` of them, and all objects after `all` of those: else a cycle that a batch
    leaves behind outlives twenty million objects.
    """

    young: int
    older: int
    all: int


WORKER: Final = Pace(200_000, 4, 2)
API: Final = Pace(100_000, 8, 2)
"""grpc leaves a cycle of six objects behind with each call (`_find_method_handler`, grpcio 1.85): 1 kB. A worker's pace
would let 33,000 of them wait, 30 MiB; this lets 17,000. Half of it again would cost a walk a tenth of its time.
"""


MALLOPT: Final = {-1: 256 << 10, -3: 128 << 10}
"""`M_TRIM_THRESHOLD` and `M_MMAP_THRESHOLD` of glibc's malloc.h, in bytes."""


def economise(pace: Pace) -> None:
    """For a process that has started: what was imported never becomes garbage, what comes is hardly ever a cycle.

    What was freed goes back to the system. By itself glibc takes the first large block freed for a sign that more will
    come, and from then on keeps blocks of up to 32 MiB on its heap: a small one that lives on behind them pins them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*pace)
    allocator = ctypes.CDLL(None)
    for option, size in MALLOPT.items() if hasattr(allocator, "mallopt") else ():
        if not allocator.mallopt(option, size):
            log.warning("allocator takes no option", extra={"option": option, "size": size})


def search() -> None:
    """Frees what only refers to itself: up to 30 ms under load.

    When a transaction meets another's, pymongo's frames refer to the error that says so, and it to them, down to the
    handler: with all that a batch has in hand, 10 MB. Who searches by count alone keeps them while the store is busy,
    and what was looked at once, far longer.
    """
    gc.collect()
