"""The closed loop's commands without a platform: bad usage, the requests they make, what they print."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from shilian.inspection.v1 import inspection_pb2 as pb
from shilian.reporting.v1 import reporting_pb2
from typer.testing import CliRunner, Result

from clients.cli.__main__ import app
from clients.cli.answers import as_json
from clients.cli.asking import value
from clients.cli.bulletins import written
from clients.cli.words import duty
from tests.processes import free_port

COMMANDS = """
worklist | ledger | roster import | roster show | roster obligations | roster phases | roster set-phase
inspect show | inspect create | inspect assign | inspect record | inspect order | inspect rectify | inspect recheck
inspect escalate | inspect cancel | inspect tests | inspect watch
case list | case show | case open | case establish | case must | case gate | case handle | case penalty | case close
sample draw | sample show | sample list | sample repeat
test record | test object | test shared | risk grade | risk due
notify subscriptions | notify deliveries | notify inbox | notify read | notify send
notify subscribe | notify unsubscribe | notify stop | notify quota
report scorecard | report behind | report bulletin | report bulletins | report download | report rebuild
report standards | report set-standard | report declarations | report declare
grid cells | grid set | grid officer | grid place | grid contact | grid gaps | grid history
operators list | operators get | operators register | operators update | operators activate | operators suspend
operators resume | operators revoke | operators deregister | operators close | operators history
sites get | sites list | sites alike | sites merge
finding list | finding show | event list | event show | event flags
""".strip().replace("\n", " | ")

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command with no stack at all."""
    for name in ("GRPC_INSPECTION", "GRPC_NOTIFY", "GRPC_REGISTRY", "GRPC_REPORTING", "TOKEN"):
        monkeypatch.delenv(f"SHILIAN_{name}", raising=False)
    monkeypatch.setenv("SHILIAN_STACK_DIR", str(tmp_path / "stack"))
    return lambda *words: CliRunner().invoke(app, list(map(str, words)))


@pytest.mark.parametrize("command", COMMANDS.split(" | "))
def test_every_command_explains_itself_and_prints_json(run: Run, command: str) -> None:
    answer = run(*command.split(), "--help")
    assert answer.exit_code == 0
    assert "--format" in answer.stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("worklist --state asleep", "asleep"),
        ("worklist --page-size 501", "--page-size"),
        ("inspect assign T1", "--officer"),
        ("inspect record T1", "--problem"),
        ("inspect recheck T1", "--passed"),
        ("inspect order T1", "--item"),
        ("inspect create --site S1", "--title"),
        ("case gate C1 luck --evidence e", "luck"),
        ("case must C1 fine", "--done"),
        ("case establish C1 --fact bad_weather", "bad_weather"),
        ("case penalty C1 applause", "applause"),
        ("sample draw --quarter 2026Q3 --size 501", "--size"),
        ("ledger --since yesterday", "yesterday"),
        ("notify deliveries --channel pigeon", "pigeon"),
        ("notify send rumour --title t --text t", "rumour"),
        ("report behind luck", "luck"),
        ("report download 2026-10 --as papyrus", "papyrus"),
        ("report set-standard --division 3701 --from 2026-01-01 --reason r --threshold luck=1", "luck"),
        ("report set-standard --division 3701 --from 2026-01-01 --reason r --weight upload=much", "much"),
        ("report set-standard --division 3701 --from 2026-01-01", "--reason"),
        ("operators suspend O1", "--reason"),
        ("operators revoke O1", "--reason"),
        ("operators list --state asleep", "asleep"),
        ("grid officer G1 --officer 王一", "--reason"),
        ("grid gaps --gap teeth", "teeth"),
        ("notify subscribe 名 --event recall --channel pigeon", "pigeon"),
        ("notify quota pigeon 13800000000", "pigeon"),
        ("finding list --kind rumour", "rumour"),
        ("event list --since yesterday", "yesterday"),
        ("roster set-phase P --name n --starts 2022-04-15 --reason r --category luck", "luck"),
        ("roster import nowhere.csv --kind licence --division 370105", "nowhere.csv"),
        ("roster import nowhere.csv --kind friends --division 370105", "friends"),
        ("worklist", "--grpc-inspection"),
        ("report rebuild", "--grpc-reporting"),
        ("notify inbox --grpc-notify 127.0.0.1:1", "--token"),
    ],
)
def test_bad_usage_ends_with_2_and_says_what_is_wrong_on_stderr(run: Run, words: str, complaint: str) -> None:
    answer = run(*words.split())
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert complaint in answer.stderr


def test_platform_that_is_away_is_named_with_the_way_out(run: Run) -> None:
    address = f"127.0.0.1:{free_port()}"
    answer = run("worklist", "--grpc-inspection", address, "--token", "t")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"平台没有应答：gRPC {address}")
    assert "`make up`" in answer.stderr
    assert "refused" in answer.stderr
    assert "UNAVAILABLE" not in answer.stderr


def test_answers_in_json_have_words_and_numbers() -> None:
    task = pb.Task(task_id="T", state=pb.TASK_STATE_CLOSED, version=3, steps=[pb.TaskStep(state=pb.TASK_STATE_OPEN)])
    found = as_json(pb.GetTaskResponse(task=task))["task"]
    assert (found["state"], found["kind"], found["version"]) == ("closed", "", 3)
    assert found["steps"][0]["state"] == "open"
    line = reporting_pb2.Line(not_applicable=[reporting_pb2.DIMENSION_UPLOAD])
    assert as_json(line)["not_applicable"] == ["upload"]


def test_word_of_an_enum_is_its_value_and_none_is_unspecified() -> None:
    assert value(pb.CaseGate, "lesson_not_given") == pb.CASE_GATE_LESSON_NOT_GIVEN
    assert value(pb.CaseGate, "") == pb.CASE_GATE_UNSPECIFIED


def pieces(name: str, *data: bytes) -> Iterable[reporting_pb2.DownloadBulletinResponse]:
    for number, piece in enumerate(data):
        yield reporting_pb2.DownloadBulletinResponse(file_name="" if number else name, data=piece)


def test_download_is_written_whole_and_into_no_other_folder(tmp_path: Path) -> None:
    file = written(pieces("../2026-10.pdf", b"%PDF", b"-1.7"), tmp_path / "into")
    assert file == tmp_path / "into/2026-10.pdf"
    assert file.read_bytes() == b"%PDF-1.7"


def test_download_that_breaks_off_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    def broken() -> Iterable[reporting_pb2.DownloadBulletinResponse]:
        yield from pieces("2026-10.pdf", b"%PDF")
        raise ConnectionError

    with pytest.raises(ConnectionError):
        written(broken(), tmp_path)
    assert not (tmp_path / "2026-10.pdf").exists()


@pytest.mark.parametrize(
    ("action", "shown"),
    [
        ("find_problem", "检查有问题"),
        ("open_case", "立案"),
        ("gate:cause_not_found", "不放过：原因未查清"),
        ("must:fine", "必须：罚款"),
        ("handling:unit", "约谈问责：单位"),
        ("something_new", "something_new"),
    ],
)
def test_the_ledger_is_read_in_chinese(action: str, shown: str) -> None:
    assert duty(action) == shown
