"""Tests, and what follows from one: objections, re-tests, parked and shared results."""
