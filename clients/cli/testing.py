"""`shilian test`: 检测、异议、检测信息共享."""

from datetime import datetime
from typing import Annotated

import typer
from shilian.inspection.v1 import inspection_pb2 as pb

from clients.cli.asking import asks, one_of, value
from clients.cli.inspecting import Evidence
from clients.cli.task_tables import SHOW_SHARED, SHOW_TEST
from clients.cli.times import FORMATS, moment

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="检测、异议、共享。Tests: record, object, share.")

Test = Annotated[str, typer.Argument(help="检测编号。Test id.")]


@asks(app, "record", SHOW_TEST)
def record(
    report: Annotated[str, typer.Option(help="检验报告编号。Number of the laboratory's report.")],
    at: Annotated[datetime, typer.Option(formats=FORMATS, help="检测时间(上海时间)。When, Shanghai time.")],
    qualified: Annotated[bool, typer.Option("--qualified/--failed", help="检测结论。What it says.")],
    item: Annotated[str, typer.Option(help="检测项目。What was tested for.")] = "",
    site: Annotated[str, typer.Option(help="抽样场所编号。Id of the site.")] = "",
    kind: Annotated[str, typer.Option(**one_of(pb.TestKind))] = "laboratory",
    method: Annotated[str, typer.Option(help="检测方法。Method.")] = "",
    batch: Annotated[str, typer.Option(help="批次追溯码。Trace code of the batch.")] = "",
    product: Annotated[str, typer.Option(help="品名。Product.")] = "",
    category: Annotated[str, typer.Option(help="品类，如 vegetable。Category.")] = "",
    reading: Annotated[str, typer.Option("--value", help="检测值。Reading.")] = "",
    retest_of: Annotated[
        str, typer.Option(help="复检对应的初检编号，货品随初检。Id of the first test: this one decides the objection.")
    ] = "",
) -> pb.RecordTestRequest:
    """登记检验机构的检测结果。Record a laboratory's result; as a re-test it decides an objection."""
    return pb.RecordTestRequest(
        report_number=report,
        test_time=moment(at),
        qualified=qualified,
        item=item,
        site_id=site,
        kind=value(pb.TestKind, kind),
        method=method,
        batch=batch,
        product=product,
        category=category,
        value=reading,
        retest_of=retest_of,
    )


@asks(app, "object", SHOW_TEST)
def object_to(
    test: Test,
    reason: Annotated[str, typer.Option(help="异议理由。Why.")],
    evidence: Evidence = None,
) -> pb.ObjectToTestRequest:
    """对不合格结果提出异议：快检4小时内，检验机构7个工作日内。Object to a failed result; a re-test then decides."""
    return pb.ObjectToTestRequest(test_id=test, reason=reason, evidence=evidence)


@asks(app, "shared", SHOW_SHARED)
def shared(
    batch: Annotated[str, typer.Argument(help="批次追溯码。Trace code of the batch.")],
    item: Annotated[str, typer.Argument(help="检测项目。What is tested for.")],
    method: Annotated[str, typer.Option(help="检测方法，不填为任意。Any when empty.")] = "",
) -> pb.FindSharedTestsRequest:
    """抽样前查同批次同项目仍有效的结果。Before sampling: results of the batch and item that are still valid."""
    return pb.FindSharedTestsRequest(batch=batch, item=item, method=method)
