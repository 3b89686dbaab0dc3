"""Trace's options: those of every process, so far."""

from chassis.settings import Settings


class TraceSettings(Settings):
    """Read from `SHILIAN_*`."""
