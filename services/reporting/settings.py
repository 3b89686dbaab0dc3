"""Reporting's options beyond those of every process."""

from pydantic import Field

from chassis.settings import Settings


class ReportingSettings(Settings):
    """Read from `SHILIAN_*`; the addresses (`host:port`) are where `RebuildFacts` finds the other services."""

    grpc_registry: str = ""
    grpc_trace: str = ""
    grpc_inspection: str = ""
    grpc_notify: str = ""
    scorecard_kept_s: float = Field(
        default=600, ge=0, description="live figures are shown for as long as 20 counts take, and no longer than this"
    )
    late_after_s: float = Field(
        default=3600,
        ge=0,
        description="a late record is in the bulletin's next version after once to twice as long: others may follow it",
    )
