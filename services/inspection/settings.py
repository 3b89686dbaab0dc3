"""Inspection's options: those of every process, so far."""

from chassis.settings import Settings


class InspectionSettings(Settings):
    """Read from `SHILIAN_*`."""
