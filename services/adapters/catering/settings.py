"""The catering adapter's options: those of every process, so far."""

from chassis.settings import Settings


class CateringSettings(Settings):
    """Read from `SHILIAN_*`."""
