"""Fixtures of all tests: real servers (`tests.stack`), our processes (`tests.processes`), the bus (`tests.bus`), gRPC
(`tests.calls`)."""

from hypothesis import HealthCheck, settings

# How long an example takes is the machine's affair; examples are the same each time, so that what fails is the change.
settings.register_profile("shilian", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shilian")

pytest_plugins = ["tests.processes", "tests.stack", "tests.bus", "tests.calls"]
