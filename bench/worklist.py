"""Tasks for `worklist_page`: 100,000 that are open, and requests for pages all over the list."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shilian.inspection.v1 import inspection_pb2

from bench.ground import Field
from bench.seeding import seed
from chassis.api.pages import page_token
from contracts.inspection import TaskKind
from services.inspection.places import Place
from services.inspection.store import TASKS
from services.inspection.tasks import tasks

OPEN: Final = 100_000
PAGES: Final = 200
SITES, COUNTIES, STATIONS, DAYS = 5_000, 10, 80, 60
BEGIN: Final = datetime(2026, 1, 5, 2, tzinfo=UTC)


def filled(field: Field) -> list[inspection_pb2.ListTasksRequest]:
    """Stores the tasks, and asks for pages at even distances."""
    seed(field, TASKS, documents, OPEN)
    orders = field.db[TASKS].find({}, {"order": 1}).sort("order", 1)
    return [_page(row["order"]) for row in list(orders)[:: OPEN // PAGES]]


def documents(numbers: range) -> Iterator[dict[str, Any]]:
    """Tasks that findings opened."""
    for number in numbers:
        opened = BEGIN + timedelta(days=number % DAYS, seconds=number)
        place = _place(number % SITES)
        yield {
            **tasks.opened(
                f"T{number:024}", TaskKind.DAILY, "finding", f"F{number:031}", "overdue_shipment", place, opened
            )
        }


def _place(site: int) -> Place:
    division = f"3701{site % COUNTIES + 2:02}"
    station = f"st-{site % STATIONS}"
    return Place(
        f"licence:JY13701{site:09}", f"uscc:{site:018}", f"王记蔬菜批发{site}", division, "circulation", station
    )


def _page(after: str) -> inspection_pb2.ListTasksRequest:
    request = inspection_pb2.ListTasksRequest(open_only=True)
    request.page_token = page_token(request, [after])
    return request
