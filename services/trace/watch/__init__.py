"""Broken chains and silent sites, found by themselves: handoffs judged, sites' days watched, findings kept."""
