"""What the probe services consume; importable where nothing is patched."""

from contracts.model import Contract
from contracts.topology import COMMANDS, Queue

PROBE = Queue("probe.in", COMMANDS, ("probe.v1",))
LATER = Queue("probe.later", COMMANDS, ("later.v1",))
STOCK = Queue("probe.stock", COMMANDS, ("stock.v1",))


class ProbeV1(Contract):
    """A message that says whether its handler shall fail, or leave something behind that refers to itself."""

    id: str
    fail: bool = False
    circle: bool = False
