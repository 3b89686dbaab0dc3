"""One month of three cities, drawn from a seed: the same seed gives the same bytes."""

from demo.generator.drafts import LAST_DAY, LATE, MONTH, SYNC, TEST, UNTOLD, Message
from demo.generator.month import Month, generate, last_full_month

__all__ = ["LAST_DAY", "LATE", "MONTH", "SYNC", "TEST", "UNTOLD", "Message", "Month", "generate", "last_full_month"]
