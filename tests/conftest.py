"""Fixtures of all tests: real servers (`tests.stack`), our processes (`tests.processes`), the bus (`tests.bus`), gRPC
(`tests.calls`)."""

pytest_plugins = ["tests.stack", "tests.processes", "tests.bus", "tests.calls"]
