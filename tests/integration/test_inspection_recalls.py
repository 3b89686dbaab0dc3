"""Opened recalls at inspection: a task for each site, confirmed by closing it."""

from datetime import UTC, datetime
from typing import Any

import grpc

from contracts.topology import INSPECTION_EVENTS
from tests.bus import Bus
from tests.integration.inspection import (
    SITE,
    Client,
    account,
    ahead,
    await_count,
    client,
    known,
    site,
    tell,
    worker,
)
from tests.processes import Process, eventually

__all__ = ["ahead", "client", "worker"]

OTHER = "licence:JY13701050099999"


def recall(*sites: str, **told: Any) -> dict[str, Any]:
    """A recall as trace announces it."""
    return {
        "id": "R1", "version": 1, "batches": ["SL1"], "product": "猪肉", "reason": "检出克伦特罗", "recall_class": 1,
        "issuer": "省局", "division": "370000", "opened_at": "2099-01-05T00:00:00Z",
        "finish_by": "2099-01-19T16:00:00Z", "sites": list(sites), **told,
    }  # fmt: skip


def test_each_site_of_a_recall_is_one_task_until_the_recall_has_to_end_and_counts_once_confirmed(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    known(bus, db, site(), site(OTHER, name="李记", division="370102", station="历下监管所"))
    for sites in ((SITE, OTHER), (OTHER, SITE), (SITE, "market:unknown")):
        tell(bus, "trace.recalls_opened.v1", recalls=[recall(*sites)])
    await_count(db.tasks, 3)
    bus.await_empty(INSPECTION_EVENTS.name, INSPECTION_EVENTS.dead)
    tasks = {row["site"]: row for row in db.tasks.find()}
    assert tasks[SITE]["title"] == "召回核查：猪肉（一级召回） · 王记蔬菜批发"
    assert {row["due_at"] for row in tasks.values()} == {datetime(2099, 1, 19, 16, tzinfo=UTC)}
    assert tasks["market:unknown"]["division"] == "370000"

    id = tasks[SITE]["_id"]
    client.call("AssignTask", task_id=id, officers=["王一", "李二"])
    client.call("RecordInspection", task_id=id, account=account("已封存待退"))
    province = {"division": "37"}
    seen = eventually(
        lambda: client.call("GetRecallProgress", recall_id="R1", **province), lambda found: found.confirmed
    )
    assert (seen.tasks, seen.confirmed) == (3, 1)
    assert [(part.division, part.station, part.tasks, part.confirmed) for part in seen.parts] == [
        ("370000", "", 1, 0),
        ("370102", "历下监管所", 1, 0),
        ("370105", "匡山监管所", 1, 1),
    ]
    county = client.call("GetRecallProgress", recall_id="R1")
    assert (county.tasks, county.confirmed) == (1, 1)
    assert client.refusal("GetRecallProgress", recall_id="R2")[0] is grpc.StatusCode.NOT_FOUND


def test_when_a_recall_ends_nobody_has_to_go_any_more_and_what_was_found_stays(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    known(bus, db, site(), site(OTHER, name="李记", division="370102", station="历下监管所"))
    sites = (SITE, OTHER, "market:unknown")
    tell(bus, "trace.recalls_opened.v1", recalls=[recall(*sites[:2])])
    await_count(db.tasks, 2)
    found = db.tasks.find_one({"site": SITE})["_id"]
    client.call("AssignTask", task_id=found, officers=["王一", "李二"])
    client.call("RecordInspection", task_id=found, problem_found=True, account=account("仍在销售"))

    # Told twice; of the last site the end comes before the beginning.
    end = recall(*sites, version=2, closed_at="2099-01-12T00:00:00Z", closed_reason="已全部召回")
    for _ in range(2):
        tell(bus, "trace.recalls_closed.v1", recalls=[end])
    tell(bus, "trace.recalls_opened.v1", recalls=[recall(*sites)])
    await_count(db.tasks, 2, state="cancelled")
    bus.await_empty(INSPECTION_EVENTS.name, INSPECTION_EVENTS.dead)
    states = {row["site"]: (row["state"], row["reason"]) for row in db.tasks.find()}
    assert states == {
        SITE: ("inspected", None),
        OTHER: ("cancelled", "召回已结束：已全部召回"),
        "market:unknown": ("cancelled", "召回已结束：已全部召回"),
    }
    assert db.timers.count_documents({}) == 1
    seen = client.call("GetRecallProgress", recall_id="R1", division="37")
    assert (seen.tasks, seen.confirmed, seen.withdrawn) == (3, 0, 2)


def test_a_task_is_its_recalls_under_whatever_id_its_site_has_today(worker: Process, bus: Bus, db: Any) -> None:
    """Told of again by its new id, its site has its task already; the end finds it."""
    tell(bus, "trace.recalls_opened.v1", recalls=[recall("one_network:5")])
    await_count(db.tasks, 1, site="one_network:5")
    known(bus, db, site())
    tell(bus, "registry.sites_aliased.v1", aliases=[{"alias": "one_network:5", "site": SITE, "version": 1}])
    await_count(db.tasks, 1, site=SITE)
    tell(bus, "trace.recalls_opened.v1", recalls=[recall(SITE, version=2)])
    end = recall("one_network:5", SITE, version=3, closed_at="2099-01-12T00:00:00Z", closed_reason="已全部召回")
    tell(bus, "trace.recalls_closed.v1", recalls=[end])
    await_count(db.tasks, 1, state="cancelled")
    bus.await_empty(INSPECTION_EVENTS.name, INSPECTION_EVENTS.dead)
    assert [(row["site"], row["state"]) for row in db.tasks.find()] == [(SITE, "cancelled")]


def test_a_site_that_the_registry_tells_of_later_moves_to_its_station(worker: Process, bus: Bus, db: Any) -> None:
    tell(bus, "trace.recalls_opened.v1", recalls=[recall(SITE)])
    await_count(db.tasks, 1, division="370000")
    known(bus, db)
    await_count(db.tasks, 1, station="匡山监管所")
