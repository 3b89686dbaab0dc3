"""Walks through the chain: back to every source, forward to every holder (ADR 12)."""
