"""Tasks and tests as tables."""

from clients.cli.answers import Json, in_turn, listing
from clients.cli.printing import local_time
from clients.cli.words import LEVELS, STANDINGS, TASK_KINDS, TASK_STATES, TASK_STEPS, zh
from contracts import divisions

HEADS = ("任务 task", "类别 kind", "状态 state", "标题 title", "场所 site", "区划 division", "监管所 station",
         "人员 officers", "层级 level", "期限 due", "案件 case")  # fmt: skip
STEP_HEADS = ("步骤 step", "时间 time", "谁 who", "人员 officers", "说明 note", "证据 evidence", "地点 location")
FINDING_HEADS = ("发现 finding", "未闭合 open", "批次 batches")
TEST_HEADS = ("检测 test", "项目 item", "结果 result", "效力 standing", "场所 site", "批次 batch", "品名 product",
              "时间 time", "异议截止 object until", "复检 re-test")  # fmt: skip
SHARED_HEADS = ("检测 test", "项目 item", "结果 result", "方法 method", "效力 standing", "批次 batch", "品名 product",
                "时间 time", "有效至 valid until")  # fmt: skip


def _row(task: Json) -> tuple[str, ...]:
    return (
        task["task_id"],
        zh(TASK_KINDS, task["kind"]),
        zh(TASK_STATES, task["state"]),
        task["title"],
        task["site_name"] or task["site_id"],
        divisions.path(task["division"]),
        task["station"],
        "、".join(task["officers"]),
        zh(LEVELS, task["level"]),
        local_time(task.get("due_time", "")) + ("(暂定)" if task["due_provisional"] else ""),
        task["case_id"],
    )


def _step_row(step: Json) -> tuple[str, ...]:
    account = step.get("account", {})
    return (
        zh(TASK_STEPS, step["step"]),
        local_time(step.get("time", "")),
        step["who"],
        "、".join(step["officers"]),
        account.get("note", ""),
        "\n".join(account.get("evidence", ())),
        account.get("location", ""),
    )


def _test_row(test: Json) -> tuple[str, ...]:
    return (
        test["test_id"],
        test["item"],
        _result(test),
        zh(STANDINGS, test["standing"]),
        test["site_name"] or test["site_id"],
        test["batch"] + ("(待关联)" if test["batch"] and not test["event_id"] else ""),
        test["product"],
        local_time(test.get("test_time", "")),
        local_time(test.get("object_until", "")),
        test["retest_id"] or test["retest_of"],
    )


def _result(test: Json) -> str:
    return f"{'合格' if test['qualified'] else '不合格'} {test['value']}".strip()


def _shared_row(shared: Json) -> tuple[str, ...]:
    test = shared["test"]
    return (
        test["test_id"],
        test["item"],
        _result(test),
        test["method"],
        zh(STANDINGS, test["standing"]),
        test["batch"],
        test["product"],
        local_time(test.get("test_time", "")),
        local_time(shared.get("valid_until", "")),
    )


def _finding_row(cited: Json) -> tuple[str, ...]:
    return (cited["finding_id"], "是" if cited["open"] else "否", "、".join(cited["batches"]))


def _details(answer: Json) -> None:
    parts = [listing("steps", "经过 steps", STEP_HEADS, _step_row)]
    if answer["task"]["findings"]:
        parts.append(listing("findings", "断链与静默 findings", FINDING_HEADS, _finding_row))
    in_turn(*parts)(answer["task"])


SHOW_TASK = listing("task", "任务 task", HEADS, _row)
SHOW_TASK_WHOLE = in_turn(SHOW_TASK, _details)
SHOW_TASKS = listing("tasks", "任务 worklist", HEADS, _row)
SHOW_TESTS = listing("tests", "检测 tests", TEST_HEADS, _test_row)
SHOW_TEST = listing("test", "检测 test", TEST_HEADS, _test_row)
SHOW_SHARED = listing("tests", "仍有效的检测 valid tests", SHARED_HEADS, _shared_row)
