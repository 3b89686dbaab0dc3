"""What the loop lives on: rosters that the registry reads, a grid, goods nobody received, a clock that is moved."""

import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from chassis import clock
from contracts.envelope import Envelope
from contracts.trace import Step
from demo.generator import LATE, TEST, Message, Month, generate
from demo.generator.grid import stations
from demo.generator.roster import Roster, rosters
from demo.moment import VARIABLE, Moment, at
from services.adapters.adapt import Adapted, adapt
from services.adapters.market.formats import FORMATS as MARKET
from services.adapters.one_network.formats import FORMATS as ONE_NETWORK
from services.registry.roster.entries import Import, Read, read
from services.registry.roster.tables import rows_of

FIRST, SEED = date(2026, 2, 1), 20220701
FORMATS = {"market": MARKET, "one_network": ONE_NETWORK}


@pytest.fixture(scope="module")
def month() -> Month:
    return generate(FIRST, SEED, 0.1)


@pytest.fixture(scope="module")
def lists(month: Month) -> list[tuple[Roster, Read]]:
    return [(roster, _read(roster)) for roster in rosters(month.world, FIRST, SEED)]


def _read(roster: Roster) -> Read:
    return read(rows_of(roster.content), Import("r", roster.kind, "370000", datetime.now(UTC)))


def _adapted(month: Month, stage: str) -> tuple[Message, Adapted]:
    (message,) = (message for message in month.messages if message.stage == stage)
    envelope = Envelope.new(message.type, message.app, id=message.id, time=message.sent)
    return message, adapt(FORMATS[message.app], envelope, message.data, message.app, datetime.now(UTC))


def test_the_registry_takes_every_row_in_order_and_refuses_the_others(lists: list[tuple[Roster, Read]]) -> None:
    assert [(len(taken.claims), taken.refused) for _, taken in lists] == [(one.listed, one.wrong) for one, _ in lists]
    assert {error.rule for _, taken in lists for _, error in taken.errors} == {
        "required",
        "invalid_value",
        "time_unreadable",
        "no_site",
    }


def test_a_tenth_of_the_listed_never_registers(month: Month, lists: list[tuple[Roster, Read]]) -> None:
    listed = {claim["site"] for _, taken in lists for claim in taken.claims}
    registering = {site.id for site in month.world.sites}
    assert registering < listed
    assert 0.08 < 1 - len(registering) / len(listed) < 0.13
    assert all(taken.claims for _, taken in lists)


def test_lists_say_until_when_licences_hold_and_one_ended(lists: list[tuple[Roster, Read]]) -> None:
    until = [claim["listing"]["until"] for _, taken in lists for claim in taken.claims]
    assert None in until
    assert sum(day < str(FIRST) for day in until if day) == 1


def test_every_site_lies_at_a_station_of_three_officers(month: Month) -> None:
    grid = stations(FIRST, SEED)
    names = [officer.name for station in grid for officer in station.officers]
    assert len(names) == len(set(names)) == 3 * len(grid)
    assert {site.division for site in month.world.sites} <= {station.division for station in grid}
    assert all(officer.phone and officer.wechat for station in grid for officer in station.officers)


def test_nobody_receives_the_shipment_until_it_is_too_late(month: Month) -> None:
    trouble = month.trouble
    message, found = _adapted(month, LATE)
    (late,) = found.records
    (lot,) = trouble.shipment.lines
    assert (late.step, late.site.site, late.inputs[0].batch) == (Step.RECEIVING, trouble.receipt.site.id, lot.lot.code)
    assert [flag.rule for flag in late.flags] == [message.rule] == ["late_upload"]
    assert message.sent - trouble.shipment.time > timedelta(days=1)


def test_one_test_fails_and_no_other(month: Month) -> None:
    _, found = _adapted(month, TEST)
    (failed,) = found.tests
    (line,) = month.trouble.test.lines
    assert line.to
    assert (failed.qualified, failed.site, failed.batch) == (False, line.to.id, line.lot.code)
    sheets = [message for message in month.messages if message.type == "market.residue_test.v1"]
    stages = Counter(message.stage for message in sheets)
    assert stages[TEST] == 1
    assert stages.total() > 1


def test_a_process_of_the_stack_reads_the_moved_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "none yet")
    moment = Moment(tmp_path / "clock", at(FIRST, 9))
    assert os.environ[VARIABLE] == str(tmp_path / "clock")
    for day in (FIRST, FIRST + timedelta(days=30)):
        moment.move(at(day, 8))
        assert abs(clock.now() - at(day, 8)) < timedelta(seconds=5)
        assert abs(moment.now() - clock.now()) < timedelta(seconds=5)
