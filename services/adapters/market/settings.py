"""The market adapter's options: those of every process, so far."""

from chassis.settings import Settings


class MarketSettings(Settings):
    """Read from `SHILIAN_*`."""
