"""A case (S2) to its end: facts, musts, penalty, and the four gates, one of which is missing once."""

from typing import Final

from shilian.inspection.v1 import inspection_pb2 as pb

from demo.desk import Person
from demo.diary import Diary

GATES: Final = {
    pb.CASE_GATE_CAUSE_NOT_FOUND: "原因查清：收货员未登记",
    pb.CASE_GATE_PEOPLE_NOT_PUNISHED: "责任人受到警告",
    pb.CASE_GATE_LESSON_NOT_GIVEN: "全员培训，有签到表",
    pb.CASE_GATE_MEASURES_NOT_CARRIED_OUT: "措施落实，有整改照片",
}
"""四个不放过, and what is brought for each."""


def file(diary: Diary, who: Person, task: str) -> str:
    """Opens the case of a task in which a problem was found, and establishes the facts; its id."""
    case = diary.call(pb.OpenCaseRequest(task_id=task, title="未按规定记录进货查验"), who, "立案")
    id = str(case["case_id"])
    facts = pb.ActFacts(value="860", trader=True)
    found = diary.ask(pb.EstablishFactsRequest(case_id=id, facts=facts), who)["case"]
    advice = "；".join(f"{each['text']}（{each['clause']}）" for each in found["suggestions"])
    diary.note(who.name, f"查明事实，裁量建议：{advice}", f"case {found['state']}")
    return id


def close(diary: Diary, who: Person, case: str) -> str:
    """Settles both musts, brings what each gate asks for, and closes; the state it is in then."""
    stopped = pb.ResolveMustRequest(case_id=case, must=pb.MUST_STOP_AND_RECTIFY, done=True, evidence=["责令改正通知书"])
    diary.call(stopped, who, "四个必须：停止并整改")
    penalty = pb.DecidePenaltyRequest(
        case_id=case, penalty=pb.PENALTY_WARNING, persons=["收货员"], reason="首次，已改正", evidence=["处罚决定书"]
    )
    diary.call(penalty, who, "四个必须：处罚（警告）")
    *gates, last = GATES
    for gate in gates:
        _bring(diary, who, case, gate)
    diary.refused(pb.CloseCaseRequest(case_id=case), who, "结案")
    _bring(diary, who, case, last)
    return str(diary.call(pb.CloseCaseRequest(case_id=case), who, "结案")["state"])


def _bring(diary: Diary, who: Person, case: str, gate: "pb.CaseGate.ValueType") -> None:
    request = pb.RecordGateRequest(case_id=case, gate=gate, evidence=[GATES[gate]])
    diary.call(request, who, f"四个不放过：{GATES[gate]}")
