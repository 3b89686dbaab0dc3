"""Any order, any repetition and any batches of the same observations give the same operators, sites and aliases."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import identity
from contracts.registry import Alias, Observation, SiteFacts
from services.registry import domain
from services.registry.decision import By, Decision
from services.registry.difference import facts
from services.registry.documents import Operator

NOON = datetime(2022, 7, 1, 4, tzinfo=UTC)


class Memory:
    """The registry's documents, read and written as `store` does, and what a subscriber of its announcements knows."""

    def __init__(self) -> None:
        self.operators: dict[str, Operator] = {}
        self.known: set[str] = set()
        self.aliases: dict[str, Alias] = {}
        self.sites: dict[str, SiteFacts] = {}

    def component(self, keys: Iterable[str]) -> list[Operator]:
        asked: set[str] = set()
        wanted = set(keys)
        found: dict[str, Operator] = {}
        while wanted - asked:
            asked |= wanted
            found |= {id: each for id, each in self.operators.items() if not asked.isdisjoint(each["keys"])}
            wanted = {key for each in found.values() for key in each["keys"]}
        return list(found.values())

    def write(self, decision: Decision) -> None:
        for id in decision.before:
            del self.operators[id]
        self.operators |= decision.after
        for alias in decision.aliases:
            assert alias.alias not in self.aliases or alias.version > self.aliases[alias.alias].version
            self.aliases[alias.alias] = alias
        for site in decision.sites:
            assert site.site not in self.sites or site.version > self.sites[site.site].version
            self.sites[site.site] = site

    def observe(self, batch: Sequence[Observation]) -> None:
        keys = {key for seen in batch for key in (seen.site, seen.operator, f"{seen.source}:{seen.source_id}")}
        decision, _ = domain.observe(self.component(keys), self.known, batch, NOON)
        self.known |= {seen.id for seen in batch}
        self.write(decision)

    def merge(self, keep: str, merged: str) -> None:
        decision = domain.merge(self.component([keep, merged]), keep, merged, By("a", "regulator", "same"), NOON)
        self.write(decision)

    def picture(self) -> dict[str, Any]:
        return {id: unversioned(operator) for id, operator in self.operators.items()}

    def meaning(self, id: str) -> str:
        """The site an id means to a subscriber."""
        return self.aliases[id].site if id in self.aliases else id


def unversioned(operator: Operator) -> dict[str, Any]:
    kept = {name: value for name, value in operator.items() if name not in ("version", "created_at", "updated_at")}
    return {**kept, "sites": [{**site, "version": 0} for site in operator["sites"]]}


def observation(
    minute: int,
    source: str,
    source_id: str,
    licence: str | None,
    uscc: str | None,
    number: str | None,
    name: str,
) -> Observation:
    site = identity.site_id(licence=licence, uscc=uscc, local_number=number, source=source, source_id=source_id)
    operator = identity.operator_id(uscc=uscc, licence=licence, source=source, source_id=source_id)
    assert site
    assert operator
    message = f"{source}/{minute}/{source_id}/{licence}/{uscc}/{number}/{name}"
    return Observation(
        id=message,
        source=source,
        source_id=source_id,
        message_id=message,
        observed_at=NOON + timedelta(minutes=minute),
        site=site,
        operator=operator,
        name=name,
        uscc=uscc,
        licence=licence,
        address="中心市场",
    )


def assert_told_what_is(memory: Memory) -> None:
    """What was announced, in whatever order it comes, amounts to what the registry holds."""
    held = {
        id: (site, operator)
        for operator in memory.operators.values()
        for site in operator["sites"]
        for id in site["ids"]
    }
    assert {id: memory.meaning(id) for id in held} == {id: site["site"] for id, (site, _) in held.items()}
    assert all(memory.meaning(id) == id for id in memory.aliases if id not in held)
    for site, operator in held.values():
        assert memory.sites[site["site"]] == facts(site, operator)


LICENCES = st.sampled_from([None, "JY23501110153674", "SC11644200000389"])
USCCS = st.sampled_from([None, "91350100M000100Y43", "92370102MA3C0000X1"])
OBSERVATIONS = st.builds(
    observation,
    st.integers(0, 3),
    st.sampled_from(["market", "catering"]),
    st.sampled_from(["9", "10"]),
    LICENCES,
    USCCS,
    st.sampled_from([None, "3"]),
    st.sampled_from(["张三蔬菜", "李四蔬菜"]),
)


@settings(max_examples=400, deadline=None)
@given(st.data(), st.lists(OBSERVATIONS, min_size=1, max_size=7))
def test_order_repetition_and_batches_do_not_matter(data: st.DataObject, seen: list[Observation]) -> None:
    once, other = Memory(), Memory()
    once.observe(seen)
    for one in data.draw(st.permutations(seen + data.draw(st.lists(st.sampled_from(seen), max_size=4)))):
        other.observe([one])
    assert other.picture() == once.picture()
    assert_told_what_is(once)
    assert_told_what_is(other)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.lists(OBSERVATIONS, min_size=2, max_size=7))
def test_redelivery_does_not_undo_what_a_person_merged(data: st.DataObject, seen: list[Observation]) -> None:
    memory = Memory()
    memory.observe(seen)
    sites = sorted({site["site"] for operator in memory.operators.values() for site in operator["sites"]})
    for _ in range(2):
        memory.merge(data.draw(st.sampled_from(sites)), data.draw(st.sampled_from(sites)))
    before = memory.picture()
    for one in data.draw(st.permutations(seen)):
        memory.observe([one])
    assert memory.picture() == before
    assert_told_what_is(memory)


@settings(max_examples=300, deadline=None)
@given(st.lists(OBSERVATIONS, min_size=1, max_size=7))
def test_every_id_means_one_site_and_one_operator(seen: list[Observation]) -> None:
    memory = Memory()
    for one in seen:
        memory.observe([one])
    operators = list(memory.operators.values())
    ids = [id for operator in operators for id in operator["ids"]]
    names = [id for operator in operators for site in operator["sites"] for id in site["ids"]]
    assert len(ids) == len(set(ids))
    assert len(names) == len(set(names))
    assert {one.operator for one in seen} <= set(ids)
    assert {f"{one.source}:{one.source_id}" for one in seen} | {one.site for one in seen} <= set(names)
