"""Who calls: as the token says it, and as rules about scope and privacy take it. No I/O."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    `division` is what the GB/T 2260 codes the caller answers for start with: "37" a province, "370102" a county.
    """

    subject: str
    role: str
    division: str | None = None
    operator_id: str | None = None
