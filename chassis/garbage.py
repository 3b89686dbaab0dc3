"""Cyclic garbage of a process that makes many small objects at once: a batch of events, a walk, a page of rows."""

import gc
from typing import Final, NamedTuple


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


def collect_seldom(pace: Pace) -> None:
    """For a process that has started: what was imported never becomes garbage, what comes is hardly ever a cycle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*pace)
