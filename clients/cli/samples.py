"""`shilian sample` and `shilian ledger`: 每季度抽查 and 履职台账."""

from typing import Annotated

import typer
from shilian.inspection.v1 import inspection_pb2 as pb

from clients.cli.answers import Json, in_turn, listing
from clients.cli.asking import Division, asks
from clients.cli.printing import local_time
from clients.cli.times import Since, Until, moment
from clients.cli.words import CASE_STATES, DONE, LINKS, duty, zh
from contracts import divisions

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="每季度抽查。Quarterly samples: draw, repeat, show, list."
)

RATE_HEADS = ("记录 events", "及时 on time", "完整 complete", "准确 accurate")
HEADS = ("样本 sample", "季度 quarter", "区划 division", "种子 seed", "抽取 size", "总体 frame", *RATE_HEADS)
SITE_HEADS = ("场所 site", "名称 name", "区划 division", "环节 link", "任务 task", *RATE_HEADS)
LEDGER_HEADS = ("时间 time", "人员 officer", "事项 action", "对象 subject", "场所 site", "结果 outcome", "说明 note",
                "证据 evidence", "地点 location")  # fmt: skip

Sample = Annotated[str, typer.Argument(help="样本编号。Sample id.")]
Quarter = Annotated[str, typer.Option(help="季度。Such as 2026Q3.")]


def _rates(scored: Json) -> tuple[str, ...]:
    score = scored.get("score", {})
    return (str(score.get("events", "")), *(score.get(name, "") for name in ("on_time", "complete", "accurate")))


def _row(sample: Json) -> tuple[str, ...]:
    numbers = str(sample["size"]), str(sample["frame"])
    place = divisions.path(sample["division"])
    return (sample["sample_id"], sample["quarter"], place, sample["seed"], *numbers, *_rates(sample))


def _site_row(site: Json) -> tuple[str, ...]:
    place = divisions.path(site["division"])
    return (site["site_id"], site["site_name"], place, zh(LINKS, site["link"]), site["task_id"], *_rates(site))


def _ledger_row(entry: Json) -> tuple[str, ...]:
    return (
        local_time(entry.get("time", "")),
        entry["officer"],
        duty(entry["action"]),
        entry["subject"],
        entry["site_name"] or entry["site_id"],
        zh(DONE | CASE_STATES if entry["subject"].startswith("C") else DONE, entry["outcome"]),
        entry["note"],
        "\n".join(entry["evidence"]),
        entry["location"],
    )


def _show_sites(answer: Json) -> None:
    listing("sites", "场所 sites", SITE_HEADS, _site_row)(answer["sample"])


def _show_repeated(answer: Json) -> None:
    typer.echo(f"{'一致' if answer['same'] else '不一致'}:{len(answer['site_ids'])} 个场所")


SHOW_SAMPLE = in_turn(listing("sample", "样本 sample", HEADS, _row), _show_sites)
SHOW_LEDGER = listing("entries", "履职台账 ledger", LEDGER_HEADS, _ledger_row)


@asks(app, "draw", SHOW_SAMPLE)
def draw(
    quarter: Quarter,
    size: Annotated[int, typer.Option(min=1, max=500, help="抽取数量。Sites to draw.")],
    division: Division = "",
    seed: Annotated[str, typer.Option(help="种子，可空。A new one is made and kept when empty.")] = "",
) -> pb.DrawSampleRequest:
    """按区划和环节抽取场所并建任务。Draw sites by division and link, and open a task for each."""
    return pb.DrawSampleRequest(quarter=quarter, size=size, division=division, seed=seed)


@asks(app, "show", SHOW_SAMPLE)
def show(sample: Sample) -> pb.GetSampleRequest:
    """查看样本及得分。Show a sample with its scores as of now."""
    return pb.GetSampleRequest(sample_id=sample)


@asks(app, "list", listing("samples", "样本 samples", HEADS, _row))
def list_samples(quarter: Quarter = "") -> pb.ListSamplesRequest:
    """列出样本，新的在前。List samples, newest first."""
    return pb.ListSamplesRequest(quarter=quarter)


@asks(app, "repeat", _show_repeated)
def repeat(sample: Sample) -> pb.RepeatDrawRequest:
    """按存底重抽并比对。Draw again from the kept frame and seed, and say whether it is the same."""
    return pb.RepeatDrawRequest(sample_id=sample)


def ledger(
    officer: Annotated[str, typer.Option(help="人员。Of this officer.")] = "",
    division: Division = "",
    subject: Annotated[str, typer.Option(help="任务、案件或样本。A task, case or sample.")] = "",
    since: Since = None,
    until: Until = None,
) -> pb.ListLedgerRequest:
    """列出履职台账，新的在前。List what officers did, newest first."""
    return pb.ListLedgerRequest(
        officer=officer, division=division, subject=subject, since=moment(since), until=moment(until)
    )
