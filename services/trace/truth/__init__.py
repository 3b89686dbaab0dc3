"""What does not look true of recorded events: every check a pure function, judged beside the records (ADR 15)."""
