"""What a batch may have contaminated: small lines of a factory, and random ones against brute force."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.trace import Step
from services.trace.analyses.contamination import Judged, Use, clean_at_last, judge, touched

MIDNIGHT = datetime(2026, 1, 4, 16, 0, tzinfo=UTC)
"""In Shanghai, where the fifth begins."""


def use(
    id: str, hour: float, line: str | None = "L1", *, of: str = "", into: str = "", step: Step = Step.MAKING
) -> Use:
    return Use(id, step, MIDNIGHT + timedelta(hours=hour), line, tuple(of.split()), tuple(into.split()))


def clean(id: str, hour: float, line: str | None = "L1") -> Use:
    return use(id, hour, line, step=Step.CLEANING)


def suspects(judged: Judged) -> set[str]:
    return {batch for stretch in judged.stretches for other in stretch.others for batch in touched(other)}


def test_what_follows_on_the_line_is_suspected_until_it_is_cleaned() -> None:
    judged = judge(
        {"A"},
        [
            use("e1", 7, of="before", into="m0"),
            use("e2", 8, of="A", into="m1"),
            use("e3", 9, of="B", into="m2"),
            clean("e4", 10),
            use("e5", 11, of="C", into="m3"),
        ],
    )
    [stretch] = judged.stretches
    assert (suspects(judged), [use.id for use in stretch.uses]) == ({"m2"}, ["e2"])
    assert stretch.cleaned == clean("e4", 10)


def test_another_line_and_what_the_batch_itself_became_are_no_suspects() -> None:
    judged = judge({"A"}, [use("e1", 8, of="A", into="m1"), use("e2", 9, "L2", of="B", into="m2")])
    assert (suspects(judged), judged.unjudged) == (set(), [])


def test_clean_down_of_another_line_or_of_none_ends_nothing() -> None:
    site = [use("e1", 8, of="A"), clean("e2", 9, "L2"), clean("e3", 9, None), use("e4", 10, of="B", into="m2")]
    judged = judge({"A"}, site)
    assert (suspects(judged), [each.id for each in judged.unjudged]) == ({"m2"}, ["e3"])


def test_step_without_a_line_is_not_judged() -> None:
    judged = judge({"A"}, [use("e1", 8, None, of="A"), use("e2", 9, of="B", into="m2"), use("e3", 9, None, of="C")])
    assert (judged.stretches, [each.id for each in judged.unjudged]) == ([], ["e1"])
    judged = judge({"A"}, [use("e0", 7, None, of="D"), use("e1", 8, of="A"), use("e3", 9, None, of="C")])
    assert [each.id for each in judged.unjudged] == ["e3"]


def test_papers_that_carry_a_day_only_overlap_on_that_day_and_are_cleaned_at_its_end() -> None:
    site = [use("e1", 0, of="A"), use("e2", 6, of="B", into="m2"), clean("e3", 24), use("e4", 30, of="C", into="m3")]
    assert suspects(judge({"A"}, site)) == {"m2", "m3"}
    assert suspects(judge({"B"}, site)) == {"m3"} | set(touched(site[0]))
    site[2] = clean("e3", 0)
    assert suspects(judge({"A"}, site)) == {"m2"}


def test_what_was_made_of_a_batch_contaminates_as_it_does() -> None:
    site = [
        use("e1", 8, of="A", into="m1"),
        use("e2", 9, "L2", of="m1", into="m2"),
        use("e3", 10, "L2", of="B", into="m3"),
    ]
    assert (suspects(judge({"A"}, site)), suspects(judge({"A", "m1", "m2"}, site))) == (set(), {"m3"})


def test_clean_down_of_the_same_moment_is_not_surely_after_the_use() -> None:
    site = [use("e1", 8, of="A"), clean("e2", 8), use("e3", 9, of="B", into="m2"), clean("e4", 9.5)]
    assert suspects(judge({"A"}, site)) == {"m2"}


def test_line_used_again_after_its_clean_down_is_a_second_stretch() -> None:
    site = [use("e1", 8, of="A"), clean("e2", 9), use("e3", 10, of="B", into="m2"), use("e4", 11, of="A"),
            use("e5", 12, of="C", into="m3")]  # fmt: skip
    judged = judge({"A"}, site)
    assert [(stretch.cleaned is None, len(stretch.others)) for stretch in judged.stretches] == [(False, 0), (True, 1)]


@st.composite
def sites(draw: st.DrawFn) -> list[Use]:
    batch, line = st.sampled_from(("A", "B", "C")), st.sampled_from(("L1", "L2", None))
    hour = st.sampled_from((0, 3, 8, 20, 24, 30, 48))
    found = []
    for number in range(draw(st.integers(0, 10))):
        if draw(st.integers(0, 2)):
            found.append(use(f"e{number}", draw(hour), draw(line), of=draw(batch), into=f"m{number}"))
        else:
            found.append(clean(f"e{number}", draw(hour), draw(line)))
    return found


@given(sites())
def test_suspects_are_those_of_brute_force(site: list[Use]) -> None:
    """Every pair of steps on a line: the other may be later, and no clean-down surely lies between them."""

    def minutes(each: Use) -> tuple[int, int]:
        minute = int((each.time - MIDNIGHT).total_seconds() / 60)
        return (minute, minute + 1439) if minute % 1440 == 0 else (minute, minute)

    def clean_at(each: Use) -> int:
        first, last = minutes(each)
        return last + 1 if last > first else last

    def cleaned_between(ours: Use, other: Use) -> bool:
        clean_downs = [clean_at(each) for each in site if (each.step, each.line) == (Step.CLEANING, ours.line)]
        return any(minutes(ours)[1] < clean_down <= minutes(other)[0] for clean_down in clean_downs)

    steps = [each for each in site if each.step is not Step.CLEANING and each.line is not None]
    assert suspects(judge({"A"}, site)) == {
        batch
        for ours in steps
        for other in steps
        if "A" in ours.inputs and "A" not in other.inputs and ours.line == other.line
        if minutes(other)[1] >= minutes(ours)[0] and not cleaned_between(ours, other)
        for batch in other.outputs
    }


@given(sites())
def test_what_was_done_once_all_lines_were_clean_changes_nothing(site: list[Use]) -> None:
    ours = [each for each in site if "A" in each.inputs]
    cleanings = [each for each in site if each.step is Step.CLEANING]
    end = clean_at_last(ours, cleanings)
    near = [each for each in site if end is None or each.time < end or each in (*ours, *cleanings)]
    assert judge({"A"}, near).stretches == judge({"A"}, site).stretches
    lined = [each for each in ours if each.line is not None]
    assert (end is None) == (not lined or any(each.cleaned is None for each in judge({"A"}, site).stretches))
