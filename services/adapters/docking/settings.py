"""The docking adapter's options: those of every process, so far."""

from chassis.settings import Settings


class DockingSettings(Settings):
    """Read from `SHILIAN_*`."""
