"""`shilian case`: 四个必须 and 四个不放过, from opening to closing."""

from typing import Annotated, Final

import typer
from shilian.inspection.v1 import inspection_pb2 as pb

from clients.cli.answers import Json, in_turn, listing
from clients.cli.asking import Division, asks, one_of, value, words
from clients.cli.inspecting import Evidence, Reason
from clients.cli.printing import local_time
from clients.cli.words import CASE_STATES, GATES, HANDLINGS, MUST_STATES, MUSTS, PARTIES, PENALTIES, zh
from contracts import divisions

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Cases: open, musts, gates, penalty, close.")

HEADS = (
    "案件 case",
    "状态 state",
    "标题 title",
    "场所 site",
    "区划 division",
    "事项 item",
    "立案 opened",
    "尚缺 missing",
)
MUST_HEADS = ("必须 must", "状态 state", "触发 trigger", "依据 clause", "理由 reason", "证据 evidence", "谁 who")
GATE_HEADS = ("不放过 gate", "已过 passed", "说明 note", "证据 evidence", "谁 who")
HANDLING_HEADS = ("对象 party", "名称 name", "方式 handling", "已办 held", "谁 who", "证据 evidence")
PENALTY_HEADS = ("建议处罚 penalty", "依据 clause", "金额(元) yuan", "内容 text", "因为 because")

FACTS: Final = [field.name for field in pb.ActFacts.DESCRIPTOR.fields if field.type == field.TYPE_BOOL]
"""Those that are so or not."""

Case = Annotated[str, typer.Argument(help="Case id.")]
Note = Annotated[str, typer.Option(help="What was done, or why not.")]


def _row(case: Json) -> tuple[str, ...]:
    return (
        case["case_id"],
        zh(CASE_STATES, case["state"]),
        case["title"],
        case["site_name"] or case["site_id"],
        divisions.path(case["division"]),
        case["item"],
        local_time(case.get("open_time", "")),
        "\n".join(zh(GATES, rule) for rule in case["missing"]),
    )


def _must_row(must: Json) -> tuple[str, ...]:
    state = zh(MUST_STATES, must["state"])
    evidence = "\n".join(must["evidence"])
    return (zh(MUSTS, must["must"]), state, must["trigger"], must["clause"], must["reason"], evidence, must["who"])


def _gate_row(gate: Json) -> tuple[str, ...]:
    passed = "是" if gate["passed"] else "否"
    return (zh(GATES, gate["gate"]), passed, gate["note"], "\n".join(gate["evidence"]), gate["who"])


def _handling_row(one: Json) -> tuple[str, ...]:
    held, evidence = "是" if one["held"] else "否", "\n".join(one["evidence"])
    return (zh(PARTIES, one["party"]), one["name"], zh(HANDLINGS, one["handling"]), held, one["who"], evidence)


def _penalty_row(one: Json) -> tuple[str, ...]:
    yuan = "–".join(dict.fromkeys(amount for amount in (one["least"], one["most"]) if amount))
    return (zh(PENALTIES, one["penalty"]), one["clause"], yuan, one["text"], "\n".join(one["because"]))


def _details(answer: Json) -> None:
    parts = in_turn(
        listing("musts", "四个必须", MUST_HEADS, _must_row),
        listing("gates", "四个不放过", GATE_HEADS, _gate_row),
        listing("handlings", "约谈问责", HANDLING_HEADS, _handling_row),
        listing("suggestions", "处罚建议", PENALTY_HEADS, _penalty_row),
    )
    parts(answer["case"])


SHOW_CASE = in_turn(listing("case", "案件 case", HEADS, _row), _details)


@asks(app, "list", listing("cases", "案件 cases", HEADS, _row))
def list_cases(
    division: Division = "",
    state: Annotated[str, typer.Option(**one_of(pb.CaseState))] = "",
    site: Annotated[str, typer.Option(help="At this site.")] = "",
) -> pb.ListCasesRequest:
    """List cases, newest first."""
    return pb.ListCasesRequest(division=division, state=value(pb.CaseState, state), site_id=site)


@asks(app, "show", SHOW_CASE)
def show(case: Case) -> pb.GetCaseRequest:
    """Show a case: what must be done, what stands against closing it, what penalty is suggested."""
    return pb.GetCaseRequest(case_id=case)


@asks(app, "open", SHOW_CASE)
def open_case(
    task: Annotated[str, typer.Option(help="Of this inspected task …")] = "",
    test: Annotated[str, typer.Option(help="… or of this failed test.")] = "",
    title: Annotated[str, typer.Option(help="What it is about; the cause's own when empty.")] = "",
) -> pb.OpenCaseRequest:
    """Open a case of a task or a test; one cause, one case."""
    return pb.OpenCaseRequest(task_id=task, test_id=test, title=title)


@asks(app, "establish", SHOW_CASE)
def establish(
    case: Case,
    goods_value: Annotated[str, typer.Option("--value", help="Value of the goods in yuan.")] = "",
    months: Annotated[int, typer.Option(min=0, help="For how long it went on.")] = 0,
    deaths: Annotated[int, typer.Option(min=0)] = 0,
    ill: Annotated[int, typer.Option(min=0)] = 0,
    so: Annotated[list[str] | None, typer.Option("--fact", **words(FACTS), help="What is so; repeat for each.")] = None,
) -> pb.EstablishFactsRequest:
    """Establish the facts of the act, all of them at once; suggestions and the musts' triggers follow."""
    facts = pb.ActFacts(value=goods_value, months=months, deaths=deaths, ill=ill)
    for fact in so or ():
        setattr(facts, fact, True)
    return pb.EstablishFactsRequest(case_id=case, facts=facts)


@asks(app, "must", SHOW_CASE)
def must(
    case: Case,
    must: Annotated[str, typer.Argument(**one_of(pb.Must), help="Which of the four.")],
    done: Annotated[bool, typer.Option("--done/--refused", help="Done, with evidence; or refused, with a reason.")],
    reason: Reason = "",
    evidence: Evidence = None,
) -> pb.ResolveMustRequest:
    """Settle a triggered must; `fine` is settled by `penalty`."""
    which = value(pb.Must, must)
    return pb.ResolveMustRequest(case_id=case, must=which, done=done, reason=reason, evidence=evidence)


@asks(app, "gate", SHOW_CASE)
def gate(
    case: Case,
    gate: Annotated[str, typer.Argument(**one_of(pb.CaseGate), help="Which of the four.")],
    evidence: Evidence = None,
    note: Note = "",
) -> pb.RecordGateRequest:
    """Bring evidence for a gate."""
    return pb.RecordGateRequest(case_id=case, gate=value(pb.CaseGate, gate), note=note, evidence=evidence)


@asks(app, "handle", SHOW_CASE)
def handle(
    case: Case,
    party: Annotated[str, typer.Argument(**one_of(pb.Party), help="Whom it is about.")],
    evidence: Evidence = None,
    note: Note = "",
) -> pb.RecordHandlingRequest:
    """Record that the interview (约谈) or accountability (问责) the case calls for was held."""
    return pb.RecordHandlingRequest(case_id=case, party=value(pb.Party, party), note=note, evidence=evidence)


@asks(app, "penalty", SHOW_CASE)
def penalty(
    case: Case,
    penalty: Annotated[str, typer.Argument(**one_of(pb.Penalty), help="What is decided.")],
    amount: Annotated[str, typer.Option(help="Yuan, for a fine.")] = "",
    clause: Annotated[str, typer.Option(help="Of which law; the suggested one when empty.")] = "",
    reason: Reason = "",
    persons: Annotated[
        list[str] | None, typer.Option("--person", help="Punished beside the unit; repeat for each.")
    ] = None,
    evidence: Evidence = None,
) -> pb.DecidePenaltyRequest:
    """Decide the penalty; off the suggestion only with a reason."""
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
    version: Annotated[int, typer.Option(min=0, help="The version that was looked at; 0 for whichever is there.")] = 0,
    note: Note = "",
) -> pb.CloseCaseRequest:
    """Close a case; refused with the rule of the first gate or must that is open."""
    return pb.CloseCaseRequest(case_id=case, version=version, note=note)
