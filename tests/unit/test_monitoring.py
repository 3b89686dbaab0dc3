"""Alerts, dashboard and scrape configuration name what there is; the runbook knows every alert."""

import json
import re
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

import chassis.metrics  # noqa: F401 - registers its own
import services.notify.metrics  # noqa: F401 - registers its own
from deploy.local.home import ROOT
from deploy.local.processes import PROCESSES
from tests.deployed import DEPLOY, HTTP, deployed

ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS: list[dict[str, Any]] = json.loads((DEPLOY / "grafana/dashboards/shilian.json").read_text())["panels"]
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


def expressions() -> list[str]:
    panels = [target["expr"] for panel in PANELS for target in panel.get("targets", ())]
    return [*panels, *(rule["expr"] for rule in ALERTS)]


def names_in(expression: str) -> set[str]:
    bare = re.sub(r'"[^"]*"', "", expression)
    return set(re.findall(r"\b(?:shilian|rabbitmq|process)_\w+|\bup\b", bare))


def families() -> dict[str, set[str]]:
    """Every metric our processes give out, and the names of its series."""
    return {found.name: {found.name + suffix for suffix in SUFFIXES[found.type]} for found in REGISTRY.collect()}


@pytest.mark.parametrize("expression", expressions())
def test_alerts_and_panels_read_metrics_that_exist(expression: str) -> None:
    names = names_in(expression)
    assert names
    known = set().union(*families().values())
    assert not {name for name in names if not name.startswith("rabbitmq_")} - known - {"up"}


def test_every_metric_of_ours_is_seen_somewhere() -> None:
    shown = set().union(*map(names_in, expressions()))
    unseen = {name for name, series in families().items() if name.startswith("shilian_") and not series & shown}
    assert not unseen


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_every_alert_is_in_the_runbook(rule: dict[str, Any]) -> None:
    assert f"### {rule['alert']}\n" in (ROOT / "docs/runbook.md").read_text()
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"]


def test_prometheus_scrapes_every_process() -> None:
    jobs = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"]
    (found,) = next(job for job in jobs if job["job_name"] == "shilian")["dns_sd_configs"]
    assert set(found["names"]) == {deployed(process) for process in PROCESSES}
    assert found["port"] == HTTP
