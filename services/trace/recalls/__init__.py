"""Recalls: simulated, opened on what was simulated, grown by late records, closed (ADR 14)."""
