"""The registry's options: those of every process, so far."""

from chassis.settings import Settings


class RegistrySettings(Settings):
    """Read from `SHILIAN_*`."""
