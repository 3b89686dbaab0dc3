"""What the registry decides, case by case."""

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from contracts import identity
from contracts.egress import Outcome
from contracts.registry import Alias, Observation, OperatorState
from services.registry import domain
from services.registry.decision import By, Decision
from services.registry.documents import Edit, Operator
from services.registry.domain import TRANSITIONS, NotAllowed, Step
from services.registry.standing import LIVELY
from services.registry.views import NOWHERE, areas

NOON = datetime(2022, 7, 1, 4, tzinfo=UTC)
LICENCE, OTHER_LICENCE = "JY23501110153674", "SC11644200000389"
USCC, OTHER_USCC = "91350100M000100Y43", "92370102MA3C0000X1"
ID_NUMBER = "11010519491231002X"
OFFICER = By("王五", "regulator", "现场核实")


def sight(minute: int = 0, source: str = "market", source_id: str = "stall-9", **told: Any) -> Observation:
    """What an app sees `minute` minutes after noon; ids by the strongest identifier told."""
    codes = {name: told.get(name) for name in ("licence", "uscc", "id_number")}
    site = identity.site_id(**codes, local_number=told.pop("number", None), source=source, source_id=source_id)
    return Observation(
        id=f"{minute} {source} {source_id} {sorted(told.items(), key=str)}",
        source=source,
        source_id=source_id,
        message_id=f"m-{minute}",
        observed_at=NOON + timedelta(minutes=minute),
        site=site or "",
        operator=identity.operator_id(**codes, source=source, source_id=source_id) or "",
        **{"name": "张三蔬菜", **told},
    )


class Registry:
    """All documents of a small registry, and what was said along the way."""

    def __init__(self) -> None:
        self.operators: list[Operator] = []
        self.known: set[str] = set()
        self.kinds: list[str] = []
        self.aliases: list[Alias] = []

    def observe(self, *sights: Observation) -> list[Outcome]:
        decision, verdicts = domain.observe(self.operators, self.known, sights, NOON)
        self.known |= {each.id for each in sights}
        self.take(decision)
        return [verdict.outcome for told in verdicts.values() for verdict in told]

    def take(self, decision: Decision) -> None:
        untouched = [each for each in self.operators if each["_id"] not in decision.before]
        self.operators = [*untouched, *decision.after.values()]
        self.kinds += [row["kind"] for row in decision.changes]
        self.aliases += decision.aliases

    @property
    def sites(self) -> dict[str, list[str]]:
        """Every site with the ids that mean it."""
        return {site["site"]: site["ids"] for operator in self.operators for site in operator["sites"]}

    @property
    def ids(self) -> dict[str, list[str]]:
        """Every operator with the ids that mean it."""
        return {operator["_id"]: operator["ids"] for operator in self.operators}

    def operator(self, id: str) -> Operator:
        return next(operator for operator in self.operators if id in operator["ids"])

    def site(self, id: str) -> Any:
        return next(site for each in self.operators for site in each["sites"] if id in site["ids"])


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_same_code_is_the_same_operator(registry: Registry) -> None:
    registry.observe(
        sight(0, "market", "stall-9", uscc=USCC, licence=LICENCE),
        sight(1, "catering", "c-1", uscc=USCC, licence=OTHER_LICENCE),
    )
    assert list(registry.ids) == [f"uscc:{USCC}"]
    assert sorted(registry.sites) == [f"licence:{LICENCE}", f"licence:{OTHER_LICENCE}"]


def test_same_licence_is_the_same_site_of_the_better_known_operator(registry: Registry) -> None:
    registry.observe(sight(0, "catering", "c-1", licence=LICENCE))
    registry.observe(sight(1, "one_network", "n-5", licence=LICENCE, uscc=USCC))
    assert registry.ids == {f"uscc:{USCC}": [f"licence:{LICENCE}", f"uscc:{USCC}"]}
    assert [each["id"] for each in registry.site(f"licence:{LICENCE}")["source_ids"]] == ["c-1", "n-5"]


def test_licence_told_later_takes_the_stall_along(registry: Registry) -> None:
    registry.observe(sight(0))
    registry.observe(sight(1, licence=LICENCE))
    assert registry.sites == {f"licence:{LICENCE}": [f"licence:{LICENCE}", "market:stall-9"]}
    assert (registry.aliases[-1].alias, registry.aliases[-1].site) == ("market:stall-9", f"licence:{LICENCE}")


def test_three_names_of_one_site_lead_straight_to_it(registry: Registry) -> None:
    for observation in (sight(0), sight(1, uscc=USCC), sight(2, uscc=USCC, licence=LICENCE)):
        registry.observe(observation)
    assert registry.sites == {f"licence:{LICENCE}": [f"licence:{LICENCE}", "market:stall-9", f"uscc:{USCC}"]}
    assert {alias.alias: alias.site for alias in registry.aliases} == {
        "market:stall-9": f"licence:{LICENCE}",
        f"uscc:{USCC}": f"licence:{LICENCE}",
    }


def test_bare_code_stands_alone_once_it_could_mean_two_sites(registry: Registry) -> None:
    registry.observe(sight(0, uscc=USCC, licence=LICENCE))
    assert f"uscc:{USCC}" in registry.sites[f"licence:{LICENCE}"]
    registry.observe(sight(1, "catering", "c-1", uscc=USCC, licence=OTHER_LICENCE))
    assert [alias for alias in registry.aliases if alias.alias == alias.site] == [
        Alias(alias=f"uscc:{USCC}", site=f"uscc:{USCC}", version=2)
    ]
    assert not any(f"uscc:{USCC}" in ids for ids in registry.sites.values())


def test_stall_let_to_another_keeps_both_sites_and_proposes(registry: Registry) -> None:
    registry.observe(sight(0, licence=LICENCE, uscc=USCC), sight(9, licence=OTHER_LICENCE, uscc=OTHER_USCC))
    assert registry.site("market:stall-9")["site"] == f"licence:{OTHER_LICENCE}"
    assert sorted(registry.ids) == [f"uscc:{USCC}", f"uscc:{OTHER_USCC}"]
    for licence in (LICENCE, OTHER_LICENCE):
        assert "source_id:market:stall-9" in registry.site(f"licence:{licence}")["candidates"]


def test_code_of_a_former_tenant_does_not_mean_the_next_ones_site(registry: Registry) -> None:
    registry.observe(sight(0, uscc=USCC), sight(1, licence=LICENCE, uscc=OTHER_USCC))
    assert registry.site(f"uscc:{USCC}")["site"] == f"uscc:{USCC}"


def test_name_and_address_only_propose(registry: Registry) -> None:
    registry.observe(
        sight(0, address="中心市场 A区9号"),
        sight(0, "catering", "c-1", address="中心市场Ａ区-9号"),
        sight(0, "catering", "c-2", name="李四", address="中心市场A区9号"),
        sight(0, "catering", "c-3"),
    )
    looks = {site: registry.site(site)["candidates"] for site in registry.sites}
    assert looks["market:stall-9"] == looks["catering:c-1"] != []
    assert looks["catering:c-2"] != looks["catering:c-1"]
    assert looks["catering:c-3"] == []


def test_earlier_observation_does_not_replace_a_later(registry: Registry) -> None:
    assert registry.observe(sight(5, phone="5", address="新址")) == [Outcome.ACCEPTED]
    assert registry.observe(sight(1, phone="1", contact="张三")) == [Outcome.ACCEPTED]
    operator = registry.operator("market:stall-9")
    assert (operator["phone"], operator["contact"]) == ("5", None)


@pytest.mark.parametrize("minute", [0, 7])
def test_repeated_content_is_a_duplicate(registry: Registry, minute: int) -> None:
    first = sight(0, phone="1")
    registry.observe(first)
    again = first.model_copy(update={"id": f"other-{minute}", "observed_at": NOON + timedelta(minutes=minute)})
    assert registry.observe(again) == [Outcome.DUPLICATE]
    assert registry.kinds.count("observed") == 1
    assert registry.operator("market:stall-9")["claims"][0]["observed_at"] == again.observed_at


def test_redelivered_observation_is_a_duplicate_though_others_came_between(registry: Registry) -> None:
    first = sight(0, phone="1")
    registry.observe(first)
    registry.observe(sight(1, phone="2"))
    assert registry.observe(first) == [Outcome.DUPLICATE]
    assert registry.operator("market:stall-9")["phone"] == "2"


def test_duplicate_changes_and_announces_nothing(registry: Registry) -> None:
    registry.observe(sight(0))
    decision, _ = domain.observe(registry.operators, registry.known, [sight(0)], NOON)
    assert decision == Decision({}, {}, [], (), ())


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        ({"uscc": USCC[:-1] + "4"}, "uscc_check_digit"),
        ({"licence": LICENCE[:-1] + "5"}, "licence_check_digit"),
        ({"division": "999999"}, "unknown_division"),
        ({"id_number": ID_NUMBER[:-1] + "1"}, "id_number_check_digit"),
    ],
)
def test_doubtful_code_is_accepted_and_flagged(registry: Registry, told: dict[str, str], rule: str) -> None:
    assert registry.observe(sight(0, **told)) == [Outcome.ACCEPTED]
    assert registry.operators[0]["flag_rules"] == [rule]


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 1)])
def test_a_list_of_operators_renames_no_stall(registry: Registry, order: tuple[int, int]) -> None:
    """Both tell of one licence: the stall's name stands, whichever came later."""
    stall, operator = order
    registry.observe(sight(stall, source_id="A-17", licence=LICENCE, name="王秀兰", site_name="王记蔬菜批发"))
    registry.observe(sight(operator, source_id="JYZ-0017", licence=LICENCE, name="王秀兰", site_name="王秀兰"))
    [found] = registry.operators
    assert (found["name"], [site["name"] for site in found["sites"]]) == ("王秀兰", ["王记蔬菜批发"])


def test_last_day_of_a_licence_is_kept_and_announced(registry: Registry) -> None:
    told = sight(licence=LICENCE, licence_valid_until=date(2027, 6, 30))
    decision, _ = domain.observe([], [], [told], NOON)
    assert [site.licence_valid_until for site in decision.sites] == [date(2027, 6, 30)]


def test_id_number_is_kept_nowhere(registry: Registry) -> None:
    for number in (ID_NUMBER, ID_NUMBER[:-1] + "1"):
        registry.observe(sight(0, id_number=number))
        assert number not in repr(registry.operators)
    assert any(id.startswith("person:") for id in registry.ids)


def test_observation_of_an_app_registers(registry: Registry) -> None:
    registry.observe(sight(0))
    assert registry.operator("market:stall-9")["state"] == OperatorState.REGISTERED


@pytest.mark.parametrize("state", sorted({*OperatorState} - {OperatorState.LISTED, *LIVELY[1:]}))
def test_observation_leaves_other_states_alone(registry: Registry, state: OperatorState) -> None:
    registry.observe(sight(0))
    registry.operators[0]["state"] = state
    registry.observe(sight(1, phone="2"), sight(2, uscc=USCC))
    assert registry.operator(f"uscc:{USCC}")["state"] == state


def test_listed_operator_seen_at_work_is_registered(registry: Registry) -> None:
    registry.observe(sight(0))
    registry.operators[0]["state"] = OperatorState.LISTED
    registry.observe(sight(1, phone="2"))
    assert registry.operators[0]["state"] == OperatorState.REGISTERED


def test_graver_state_stands_when_two_prove_one(registry: Registry) -> None:
    registry.observe(sight(0, "catering", "c-1", licence=LICENCE), sight(0, uscc=USCC))
    registry.operator(f"licence:{LICENCE}")["state"] = OperatorState.SUSPENDED
    registry.operator(f"uscc:{USCC}")["state"] = OperatorState.ACTIVATED
    registry.observe(sight(1, "one_network", "n-1", licence=LICENCE, uscc=USCC))
    assert registry.operator(f"licence:{LICENCE}")["_id"] == f"uscc:{USCC}"
    assert registry.operator(f"uscc:{USCC}")["state"] == OperatorState.SUSPENDED


ENDS = {"revoke": "revoked", "deregister": "deregistered"}
ALLOWED = {
    "listed": {"register": "registered", "deregister": "deregistered"},
    "registered": {"activate": "activated", **ENDS},
    "activated": {"record": "on_chain", "suspend": "suspended", **ENDS},
    "on_chain": {"record": "active", "lapse": "inactive", "suspend": "suspended", **ENDS},
    "active": {"record": "active", "lapse": "inactive", "suspend": "suspended", **ENDS},
    "inactive": {"record": "active", "suspend": "suspended", **ENDS},
    "suspended": {"resume": "activated", **ENDS},
    "revoked": {"deregister": "deregistered"},
    "deregistered": {},
}


@pytest.mark.parametrize(("state", "step"), [*itertools.product(OperatorState, Step)])
def test_states_change_by_the_table_only(state: OperatorState, step: Step) -> None:
    role = "system" if step in (Step.RECORD, Step.LAPSE) else "regulator"
    if end := ALLOWED[state].get(step):
        assert domain.following(state, step, role) == end
    else:
        with pytest.raises(NotAllowed, match="state"):
            domain.following(state, step, role)


@pytest.mark.parametrize("row", TRANSITIONS)
def test_step_belongs_to_its_roles(row: domain.Transition) -> None:
    for role in {"operator", "regulator", "system", "overseer", "laboratory", "vendor"} - row.roles:
        with pytest.raises(NotAllowed, match="role"):
            domain.following(row.start, row.step, role)
    assert row.clause


def test_step_is_recorded_with_who_and_why(registry: Registry) -> None:
    registry.observe(sight(0))
    decision = domain.take_step(registry.operators, registry.operators[0], Step.ACTIVATE, OFFICER, NOON)
    (row,) = decision.changes
    assert (row["kind"], row["who"], row["why"]) == ("state", "王五", "现场核实")
    assert row["detail"] | {"from": "registered", "to": "activated"} == row["detail"]
    assert [site.state for site in decision.sites] == [OperatorState.ACTIVATED]


def test_step_starts_from_the_state_that_stands_now(registry: Registry) -> None:
    registry.observe(sight(0))
    seen_before: Operator = {**registry.operators[0]}
    registry.operators[0]["state"] = OperatorState.REVOKED
    with pytest.raises(NotAllowed):
        domain.take_step(registry.operators, seen_before, Step.ACTIVATE, OFFICER, NOON)


def test_revoked_operator_does_not_register_again(registry: Registry) -> None:
    registry.observe(sight(0, uscc=USCC))
    registry.operators[0]["state"] = OperatorState.REVOKED
    with pytest.raises(NotAllowed):
        domain.register(registry.operators, registry.operators[0]["claims"], OFFICER, NOON)


def test_what_a_person_set_stands_over_what_apps_tell(registry: Registry) -> None:
    registry.observe(sight(0, phone="1"))
    edit = Edit(of="operator", target="market:stall-9", field="phone", value="2", at=NOON, who="王五")
    registry.take(domain.update(registry.operators, [edit], OFFICER, NOON))
    registry.observe(sight(9, phone="3", uscc=USCC))
    assert registry.operator(f"uscc:{USCC}")["phone"] == "2"
    assert registry.operator(f"uscc:{USCC}")["uscc"] == USCC


def test_later_word_of_a_person_stands(registry: Registry) -> None:
    registry.observe(sight(0, phone="1"))
    for minute, phone in ((1, "2"), (2, "3")):
        at = NOON + timedelta(minutes=minute)
        edit = Edit(of="operator", target="market:stall-9", field="phone", value=phone, at=at, who="王五")
        registry.take(domain.update(registry.operators, [edit], OFFICER, at))
    assert registry.operator("market:stall-9")["phone"] == "3"


def merged(registry: Registry, keep: str, other: str, at: datetime = NOON) -> None:
    registry.take(domain.merge(registry.operators, keep, other, OFFICER, at))


def test_person_merges_two_licences_and_no_observation_parts_them(registry: Registry) -> None:
    registry.observe(sight(0, licence=LICENCE, uscc=USCC), sight(0, "catering", "c-1", licence=OTHER_LICENCE))
    merged(registry, f"licence:{LICENCE}", f"licence:{OTHER_LICENCE}")
    registry.observe(sight(5, "catering", "c-1", licence=OTHER_LICENCE, phone="5"))
    assert list(registry.sites) == [f"licence:{LICENCE}"]
    assert registry.site("catering:c-1")["site"] == f"licence:{LICENCE}"
    assert registry.ids[f"uscc:{USCC}"] == [f"licence:{OTHER_LICENCE}", f"uscc:{USCC}"]


def test_merged_sites_answer_to_the_operator_of_the_one_kept(registry: Registry) -> None:
    registry.observe(
        sight(0, licence=LICENCE, uscc=USCC), sight(9, "catering", "c-1", licence=OTHER_LICENCE, uscc=OTHER_USCC)
    )
    merged(registry, f"licence:{LICENCE}", f"licence:{OTHER_LICENCE}")
    assert [site["site"] for site in registry.operator(f"uscc:{USCC}")["sites"]] == [f"licence:{LICENCE}"]
    assert registry.operator(f"uscc:{OTHER_USCC}")["sites"] == []


def test_only_a_person_unites_two_licences(registry: Registry) -> None:
    registry.observe(sight(0), sight(0, "catering", "c-1", licence=LICENCE))
    merged(registry, f"licence:{LICENCE}", "market:stall-9")
    registry.observe(sight(5, licence=OTHER_LICENCE))
    assert registry.site("market:stall-9")["site"] == f"licence:{LICENCE}"
    assert registry.site(f"licence:{OTHER_LICENCE}")["candidates"] == ["source_id:market:stall-9"]


def test_merging_again_changes_nothing(registry: Registry) -> None:
    registry.observe(sight(0), sight(0, "catering", "c-1"))
    merged(registry, "market:stall-9", "catering:c-1")
    again = domain.merge(registry.operators, "market:stall-9", "catering:c-1", OFFICER, NOON + timedelta(days=1))
    assert again == Decision({}, {}, [], (), ())


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_order_of_merges_does_not_matter(registry: Registry, order: Sequence[int]) -> None:
    registry.observe(*(sight(0, "market", str(number)) for number in range(4)))
    pairs = [("market:0", "market:1"), ("market:1", "market:2"), ("market:3", "market:2")]
    for place in order:
        merged(registry, *pairs[place], at=NOON + timedelta(minutes=place))
    assert registry.sites == {"market:3": ["market:0", "market:1", "market:2", "market:3"]}


@pytest.mark.parametrize(
    ("division", "expected"),
    [
        ("370102", ["37", "3701", "370102"]),
        ("370102001000", ["37", "3701", "370102", "370102001"]),
        ("370000", ["37"]),
        (None, [NOWHERE]),
        ("abc", [NOWHERE]),
    ],
)
def test_areas_are_the_divisions_a_code_lies_in(division: str | None, expected: list[str]) -> None:
    assert areas(division) == expected
