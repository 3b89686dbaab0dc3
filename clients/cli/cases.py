"""`shilian case`: 四个必须 and 四个不放过, from opening to closing."""

from typing import Annotated, Final

import typer
from shilian.inspection.v1 import inspection_pb2 as pb

from clients.cli.asking import Division, asks, one_of, value, words
from clients.cli.case_tables import SHOW_CASE, SHOW_CASES
from clients.cli.inspecting import Evidence, Reason

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="案件。Cases: open, musts, gates, penalty, close.")

FACTS: Final = [field.name for field in pb.ActFacts.DESCRIPTOR.fields if field.type == field.TYPE_BOOL]
"""Those that are so or not."""

Case = Annotated[str, typer.Argument(help="案件编号。Case id.")]
Note = Annotated[str, typer.Option(help="办理情况或不办理由。What was done, or why not.")]


@asks(app, "list", SHOW_CASES)
def list_cases(
    division: Division = "",
    state: Annotated[str, typer.Option(**one_of(pb.CaseState))] = "",
    site: Annotated[str, typer.Option(help="场所。At this site.")] = "",
    recall: Annotated[str, typer.Option(**one_of(pb.RecallState), help="召回建议。Whose recall is proposed.")] = "",
) -> pb.ListCasesRequest:
    """列出案件，新的在前。List cases, newest first."""
    return pb.ListCasesRequest(
        division=division,
        state=value(pb.CaseState, state),
        site_id=site,
        recall=value(pb.RecallState, recall),
    )


@asks(app, "show", SHOW_CASE)
def show(case: Case) -> pb.GetCaseRequest:
    """查看案件。Show a case: what must be done, what stands against closing it, what penalty is suggested."""
    return pb.GetCaseRequest(case_id=case)


@asks(app, "open", SHOW_CASE)
def open_case(
    task: Annotated[str, typer.Option(help="已检查的任务…Of this inspected task …")] = "",
    test: Annotated[str, typer.Option(help="…或不合格检测。… or of this failed test.")] = "",
    title: Annotated[str, typer.Option(help="事由。What it is about; the cause's own when empty.")] = "",
) -> pb.OpenCaseRequest:
    """立案，一因一案。Open a case of a task or a test; one cause, one case."""
    return pb.OpenCaseRequest(task_id=task, test_id=test, title=title)


@asks(app, "establish", SHOW_CASE)
def establish(
    case: Case,
    goods_value: Annotated[str, typer.Option("--value", help="货值(元)。Value of the goods in yuan.")] = "",
    months: Annotated[int, typer.Option(min=0, help="持续月数。For how long it went on.")] = 0,
    deaths: Annotated[int, typer.Option(min=0)] = 0,
    ill: Annotated[int, typer.Option(min=0)] = 0,
    so: Annotated[
        list[str] | None, typer.Option("--fact", **words(FACTS), help="属实情节，可重复。What is so; repeat for each.")
    ] = None,
) -> pb.EstablishFactsRequest:
    """认定事实。Establish the facts of the act, all of them at once; suggestions and the musts' triggers follow."""
    facts = pb.ActFacts(value=goods_value, months=months, deaths=deaths, ill=ill)
    for fact in so or ():
        setattr(facts, fact, True)
    return pb.EstablishFactsRequest(case_id=case, facts=facts)


@asks(app, "must", SHOW_CASE)
def must(
    case: Case,
    must: Annotated[str, typer.Argument(**one_of(pb.Must), help="四者之一。Which of the four.")],
    done: Annotated[
        bool,
        typer.Option("--done/--refused", help="办理须证据，不办须理由。Done with evidence, or refused with a reason."),
    ],
    reason: Reason = "",
    evidence: Evidence = None,
) -> pb.ResolveMustRequest:
    """办理已触发的必须。Settle a triggered must; `fine` is settled by `penalty`."""
    which = value(pb.Must, must)
    return pb.ResolveMustRequest(case_id=case, must=which, done=done, reason=reason, evidence=evidence)


@asks(app, "gate", SHOW_CASE)
def gate(
    case: Case,
    gate: Annotated[str, typer.Argument(**one_of(pb.CaseGate), help="四者之一。Which of the four.")],
    evidence: Evidence = None,
    note: Note = "",
) -> pb.RecordGateRequest:
    """为不放过提交证据。Bring evidence for a gate."""
    return pb.RecordGateRequest(case_id=case, gate=value(pb.CaseGate, gate), note=note, evidence=evidence)


@asks(app, "handle", SHOW_CASE)
def handle(
    case: Case,
    party: Annotated[str, typer.Argument(**one_of(pb.Party), help="对象。Whom it is about.")],
    evidence: Evidence = None,
    note: Note = "",
) -> pb.RecordHandlingRequest:
    """登记约谈或问责。Record that the interview (约谈) or accountability (问责) the case calls for was held."""
    return pb.RecordHandlingRequest(case_id=case, party=value(pb.Party, party), note=note, evidence=evidence)


@asks(app, "penalty", SHOW_CASE)
def penalty(
    case: Case,
    penalty: Annotated[str, typer.Argument(**one_of(pb.Penalty), help="处罚种类。What is decided.")],
    amount: Annotated[str, typer.Option(help="罚款金额。Yuan, for a fine.")] = "",
    clause: Annotated[str, typer.Option(help="依据条款。Of which law; the suggested one when empty.")] = "",
    reason: Reason = "",
    persons: Annotated[
        list[str] | None, typer.Option("--person", help="受处罚人员，可重复。Punished with the unit; repeatable.")
    ] = None,
    evidence: Evidence = None,
) -> pb.DecidePenaltyRequest:
    """作出处罚决定，与建议不符须说明理由。Decide the penalty; off the suggestion only with a reason."""
    return pb.DecidePenaltyRequest(
        case_id=case,
        penalty=value(pb.Penalty, penalty),
        amount=amount,
        clause=clause,
        reason=reason,
        persons=persons,
        evidence=evidence,
    )


@asks(app, "close", SHOW_CASE)
def close(
    case: Case,
    version: Annotated[
        int, typer.Option(min=0, help="所见版本。The version that was looked at; 0 for whichever is there.")
    ] = 0,
    note: Note = "",
) -> pb.CloseCaseRequest:
    """结案。Close a case; refused with the rule of the first gate or must that is open."""
    return pb.CloseCaseRequest(case_id=case, version=version, note=note)
