"""Tamper evidence: blocks of events in lanes, and their verification (ADR 13)."""
