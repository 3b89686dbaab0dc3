"""The generated month: big enough, the same for a seed, good where it should be and bad where it should be."""

import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from hashlib import sha256

import pytest

from contracts import codes, divisions
from contracts.envelope import Envelope
from contracts.rules import RULES
from contracts.trace import Category, Record
from demo.generator import SYNC, Message, Month, generate
from services.adapters.adapt import Adapted, adapt
from services.adapters.catering.formats import FORMATS as CATERING
from services.adapters.docking.formats import FORMATS as DOCKING
from services.adapters.market.formats import FORMATS as MARKET
from services.adapters.one_network.formats import FORMATS as ONE_NETWORK

SEED = 20220701
SHORTEST = date(2026, 2, 1)
FORMATS = {"market": MARKET, "one_network": ONE_NETWORK, "catering": CATERING, "docking.quarantine": DOCKING}

NEED_STATE = {"operator_unregistered", "unshipped_receipt", "possible_duplicate", "id_reused"}
"""Judged by trace, which knows what was registered and recorded before."""

JUDGED_BY_REGISTRY = {"id_number_format", "id_number_check_digit", "id_number_birth_date"}

NOT_PLAYED = {
    "too_many_sites": "takes thousands of sites of one operator",
    "no_operator": "whatever names a site names an operator",
    "gtin_length": "the demo's goods have a whole bar code or none",
    "unknown_event": "the demo declares one error, of a record of its own",
    "not_own_event": "the demo declares one error, of a record of its own",
    "operator_suspended": "the demo suspends nobody",
    "operator_revoked": "the demo revokes nobody",
}


@pytest.fixture(scope="module")
def month() -> Month:
    return generate(SHORTEST, SEED)


@pytest.fixture(scope="module")
def adapted(month: Month) -> list[tuple[Message, Adapted]]:
    now = datetime.now(UTC)
    return [(message, _adapt(message, now)) for message in month.messages]


def _adapt(message: Message, now: datetime) -> Adapted:
    envelope = Envelope.new(message.type, message.app, id=message.id, time=message.sent)
    return adapt(FORMATS[message.app], envelope, message.data, message.app, now)


def _rules(found: Adapted) -> set[str]:
    refused = {error.rule for verdict in found.refusals for error in verdict.errors}
    flags = [flag for record in found.records for flag in record.flags]
    flags += [flag for seen in found.observations for flag in seen.flags]
    return refused | {flag.rule for flag in flags}


def _digest(month: Month) -> str:
    return sha256(repr(month.messages).encode()).hexdigest()


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    script = (
        "from datetime import date; from hashlib import sha256; from demo.generator import generate;"
        f"month = generate(date(2026, 2, 1), {SEED}, 0.1);"
        "print(sha256(repr(month.messages).encode()).hexdigest(), month.story.lunch.code)"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert told[0] == told[1]


def test_another_seed_gives_another_month() -> None:
    assert _digest(generate(SHORTEST, 1, 0.1)) != _digest(generate(SHORTEST, 2, 0.1))


def test_even_the_shortest_month_has_20000_messages(month: Month) -> None:
    assert len(month.messages) >= 20_000


def test_about_300_operators_with_valid_codes_in_known_divisions(month: Month) -> None:
    sites = [*month.world.sites, *month.world.markets]
    problems = [
        problem
        for site in sites
        for problem in (
            site.uscc and codes.uscc_problem(site.uscc),
            site.licence and codes.licence_problem(site.licence),
            site.id_number and codes.id_number_problem(site.id_number),
            None if divisions.known(site.division or "") else "unknown_division",
        )
        if problem
    ]
    assert problems == []
    assert 280 <= len({site.issuer for site in sites}) <= 320
    assert len({site.city for site in sites}) == 3
    assert all(len({site.division for site in sites if site.city == city}) >= 3 for city in ("3701", "3702", "3713"))


def test_an_operator_uses_one_app(month: Month, adapted: list[tuple[Message, Adapted]]) -> None:
    apps: dict[str, set[str]] = {}
    for message, found in adapted:
        if message.stage == SYNC:
            for seen in found.observations:
                apps.setdefault(seen.operator, set()).add(message.app)
    assert set(map(len, apps.values())) == {1}


def test_every_app_tells_of_some_licences_until_when_they_hold(adapted: list[tuple[Message, Adapted]]) -> None:
    ends: dict[str, list[date | None]] = {"market": [], "one_network": [], "catering": []}
    for message, found in adapted:
        if message.stage == SYNC:
            ends.get(message.app, []).extend(seen.licence_valid_until for seen in found.observations if seen.licence)
    assert all(None in told and len(set(told)) > 5 for told in ends.values())
    assert all(end > date(2026, 2, 28) for told in ends.values() for end in told if end)


def test_all_ten_categories_and_three_kinds_of_unit_occur(adapted: list[tuple[Message, Adapted]]) -> None:
    records = [record for _, found in adapted for record in found.records]
    categories = {lot.category for record in records for lot in (*record.inputs, *record.outputs)}
    units = {seen.unit_kind for _, found in adapted for seen in found.observations if seen.unit_kind}
    assert categories == set(Category)
    assert len(units) == 3


def test_senders_write_in_several_ways(month: Month) -> None:
    bodies = [message.data for message in month.messages]
    assert any(b"tyshxydm" in body for body in bodies)
    assert any("统一社会信用代码".encode() in body for body in bodies)
    assert any("统一社会信用代码".encode("gb18030") in body or "公斤".encode("gb18030") in body for body in bodies)
    assert any("５".encode() in body for body in bodies)


def test_good_messages_are_taken_without_a_flag(adapted: list[tuple[Message, Adapted]]) -> None:
    doubted = [(message.id, rules) for message, found in adapted if not message.rule and (rules := _rules(found))]
    assert doubted == []


def test_bad_messages_break_just_their_rule(adapted: list[tuple[Message, Adapted]]) -> None:
    judged_later = NEED_STATE | JUDGED_BY_REGISTRY
    wrong = [
        (message.id, message.rule, _rules(found))
        for message, found in adapted
        if message.rule and message.rule not in judged_later and _rules(found) != {message.rule}
    ]
    assert wrong == []


def test_the_neighbours_of_a_bad_line_are_taken(adapted: list[tuple[Message, Adapted]]) -> None:
    refused = [found for message, found in adapted if found.refusals]
    assert any(found.records for found in refused)
    assert all(found.refused == 1 for found in refused)


def test_every_rule_is_broken_by_some_message(month: Month) -> None:
    broken = Counter(message.rule for message in month.messages if message.rule)
    assert set(broken) == RULES.keys() - NOT_PLAYED.keys()


def test_about_3_percent_are_bad(month: Month) -> None:
    bad = sum(message.rule is not None or message.duplicates > 0 for message in month.messages)
    assert 0.025 < bad / len(month.messages) < 0.035


def test_a_publisher_counts_the_records_that_the_platform_counts(adapted: list[tuple[Message, Adapted]]) -> None:
    other = [
        message.id
        for message, found in adapted
        if message.records != len(found.records) + len(found.observations) + len(found.tests) + found.refused
    ]
    assert other == []


def _ids(found: Adapted) -> list[str]:
    return [record.id for record in found.records] + [test.id for test in found.tests]


def test_declared_duplicates_are_those_that_have_an_id_already(adapted: list[tuple[Message, Adapted]]) -> None:
    counted = Counter(id for _, found in adapted for id in _ids(found))
    repeated = sum(count - 1 for count in counted.values())
    # The second content of a reused id is refused, and a doubtful second report recorded apart.
    otherwise = sum(message.rule in ("id_reused", "possible_duplicate") for message, _ in adapted)
    assert sum(message.duplicates for message, _ in adapted) == repeated - otherwise


def test_some_events_are_told_by_two_apps(adapted: list[tuple[Message, Adapted]]) -> None:
    sources: dict[str, set[str]] = {}
    for message, found in adapted:
        for record in found.records:
            sources.setdefault(record.id, set()).add(message.app)
    assert any(len(apps) > 1 for apps in sources.values())


def test_nobody_hands_on_more_than_came_in(month: Month, adapted: list[tuple[Message, Adapted]]) -> None:
    """In the story's chains, where no message is bad."""
    story = {lot.code for lot in month.story.lots}
    records = [record for message, found in adapted for record in found.records if not message.rule]
    came, went = _balance(list({record.id: record for record in records}.values()), story)
    assert {node for node in went.keys() & came.keys() if went[node] > came[node]} == set()


def _balance(records: list[Record], batches: set[str]) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    came: Counter[tuple[str, str]] = Counter()
    went: Counter[tuple[str, str]] = Counter()
    for record in records:
        inward = record.outputs if record.step in ("receiving", "kitchen_use", "farming") else ()
        outward = record.inputs if record.step in ("shipping", "selling", "kitchen_use") else ()
        for flow, lots in ((came, inward), (went, outward)):
            for lot in lots:
                if lot.batch in batches:
                    flow[str(record.site.site), lot.batch] += lot.quantity or 0  # type: ignore[assignment]
    return came, went
