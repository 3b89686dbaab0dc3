"""A drawn sample as documents: the sample, the frame it was drawn from, and a task for each site. Pure."""

from typing import NamedTuple

from contracts.inspection import TaskKind
from services.inspection.checks import sampling
from services.inspection.checks.points import TRACE
from services.inspection.checks.sampling import Frame
from services.inspection.decision import Decision
from services.inspection.documents import Document
from services.inspection.domain import Act
from services.inspection.places import Place, Sites, areas, place
from services.inspection.tasks import tasks


class Order(NamedTuple):
    """What is drawn: so many sites of a division (a prefix; None is everywhere), from this seed, for a quarter."""

    id: str
    division: str | None
    quarter: str
    seed: str
    size: int


def take(decision: Decision, order: Order, frame: Frame, drawn: list[str], sites: Sites, act: Act) -> Document:
    """Keeps the sample with its frame, so that the draw can be repeated when the registry has moved on."""
    decision.frames += [
        {"_id": f"{order.id}:{name}", "sample": order.id, "stratum": name, "sites": list(frame[name])} for name in frame
    ]
    sample: Document = {
        **order._asdict(),
        "areas": areas(order.division),
        "order": tasks.order(act.at, order.id),
        "frame": sum(map(len, frame.values())),
        "sites": [_site(decision, order, place(Place(site), sites), act) for site in drawn],
        "drawn_at": act.at,
        "drawn_by": act.who,
    }
    sample["_id"] = sample.pop("id")
    decision.samples.append(sample)
    return sample


def _site(decision: Decision, order: Order, where: Place, act: Act) -> Document:
    id = tasks.task_id("sample", order.id, where.site)
    title = f"{order.quarter} 季度抽查 · {where.site_name or where.site}"
    task = tasks.opened(id, TaskKind.QUARTERLY, "sample", order.id, order.quarter, where, act.at, title)
    decision.open_task({**task, "items": [TRACE]}, act)
    told = {"site_name": where.site_name, "division": where.division, "link": where.link}
    return {"site": where.site, "task": id, **told}


def again(sample: Document, frame: Frame) -> tuple[list[str], bool]:
    """The draw repeated from what was kept, and whether it is the same."""
    drawn = sampling.draw(sample["seed"], frame, sample["size"])
    return drawn, drawn == [each["site"] for each in sample["sites"]]
