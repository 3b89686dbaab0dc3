"""Fixtures of all tests: real servers (`tests.stack`), our processes (`tests.processes`), the bus (`tests.bus`), gRPC
(`tests.calls`)."""

from hypothesis import HealthCheck, settings

# How long an example takes is the machine's affair.
settings.register_profile("shilian", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shilian")

pytest_plugins = ["tests.processes", "tests.stack", "tests.bus", "tests.calls"]
