"""The broker's metrics that alerts and dashboard read are ones that a real broker gives."""

import re

import httpx
import yaml

from tests.deployed import DEPLOY
from tests.stack import Infra


def test_a_broker_gives_every_metric_that_is_read(stack: Infra) -> None:
    written = [DEPLOY / "prometheus/alerts.yml", DEPLOY / "grafana/dashboards/shilian.json"]
    read = {name for path in written for name in re.findall(r"\brabbitmq_\w+", path.read_text())}
    assert read
    address = f"http://127.0.0.1:{stack.stack.home.port('prometheus')}"
    jobs = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"]
    given: set[str] = set()
    for job in jobs:
        if job["job_name"].startswith("rabbitmq"):
            path = job.get("metrics_path", "/metrics")
            answer = httpx.get(address + path, params=job.get("params"), timeout=60).raise_for_status()
            given |= set(re.findall(r"^# TYPE (\w+)", answer.text, re.MULTILINE))
    assert not read - given
