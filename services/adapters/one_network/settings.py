"""The one_network adapter's options: those of every process, so far."""

from chassis.settings import Settings


class OneNetworkSettings(Settings):
    """Read from `SHILIAN_*`."""
