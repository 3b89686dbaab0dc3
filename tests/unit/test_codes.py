"""Check digits: real codes, generated codes, and every single wrong digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import codes, rules

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc(prefix: str, body: str) -> str:
    """A valid USCC: two letters of who registered it, six of where, eight of the organisation."""
    first16 = prefix + body
    first17 = first16 + codes.organisation_check_digit(first16[8:])
    return first17 + codes.uscc_check_digit(first17)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("91110000600037341L", None),
        ("９１１１００００６０００３７３４１ｌ", None),
        (" 91110000 600037341L ", None),
        ("91110000600037341A", "uscc_check_digit"),
        ("9111000060003734", "uscc_length"),
        ("91110000600037341O", "uscc_alphabet"),
        ("9111000060003734²L", "uscc_check_digit"),
    ],
)
def test_uscc_problem_names_the_rule(code: str, problem: str | None) -> None:
    assert codes.uscc_problem(code) == problem


@pytest.mark.parametrize("prefix", ["A1370102", "N1370102", "N2370102", "N3370102", "N9370102", "Y1370102"])
def test_uscc_may_begin_with_letters(prefix: str) -> None:
    assert codes.uscc_problem(uscc(prefix, "MA3C4D5E")) is None


def test_uscc_with_a_wrong_organisation_code_is_told_apart() -> None:
    first17 = "91110000600037342"
    assert codes.uscc_problem(first17 + codes.uscc_check_digit(first17)) == "uscc_organisation_check_digit"


@given(st.text(USCC_ALPHABET, min_size=16, max_size=16))
def test_any_generated_uscc_is_valid(first16: str) -> None:
    assert codes.uscc_problem(uscc("", first16)) is None


@given(st.text(USCC_ALPHABET, min_size=16, max_size=16), st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_one_wrong_character_in_a_uscc_is_always_found(first16: str, place: int, wrong: str) -> None:
    code = uscc("", first16)
    changed = code[:place] + wrong + code[place + 1 :]
    assert (codes.uscc_problem(changed) is None) == (changed == code)


@pytest.mark.parametrize("licence", ["SC11644200000389", "JY23501110153674", "ｓｃ11644200000389"])
def test_real_licences_are_valid(licence: str) -> None:
    assert codes.licence_problem(licence) is None


@pytest.mark.parametrize(
    ("licence", "problem"),
    [
        ("SC11644200000388", "licence_check_digit"),
        ("JY2350111015367", "licence_length"),
        ("SC1164420000038X", "licence_length"),
        ("YB13701020000011", None),
        ("小作坊2026-017", None),
    ],
)
def test_licence_problem_names_the_rule(licence: str, problem: str | None) -> None:
    assert codes.licence_problem(licence) == problem


@given(st.text("0123456789", min_size=13, max_size=13), st.integers(0, 13), st.sampled_from("0123456789"))
def test_one_wrong_digit_in_a_licence_is_always_found(first: str, place: int, wrong: str) -> None:
    digits = first + codes.licence_check_digit("SC" + first)
    changed = digits[:place] + wrong + digits[place + 1 :]
    assert (codes.licence_problem("SC" + changed) is None) == (changed == digits)


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("11010519491231002X", None),
        ("11010519491231002x", None),
        ("110105194912310021", "id_number_check_digit"),
        ("110105194902310026", "id_number_birth_date"),
        ("11010519491231", "id_number_format"),
        ("无", "id_number_format"),
    ],
)
def test_id_number_problem_names_the_rule(number: str, problem: str | None) -> None:
    assert codes.id_number_problem(number) == problem


@pytest.mark.parametrize(
    ("gtin", "problem"),
    [
        ("06901234567892", None),
        ("6901234567892", None),
        ("6901234567893", "gtin_check_digit"),
        ("69012345678", "gtin_length"),
        ("69012345678９2", None),
        ("690123456789A", "gtin_length"),
    ],
)
def test_gtin_problem_names_the_rule(gtin: str, problem: str | None) -> None:
    assert codes.gtin_problem(gtin) == problem


@pytest.mark.parametrize(
    ("tag", "problem"),
    [("137010200000001", None), ("437010200000001", "ear_tag_format"), ("13701020000000", "ear_tag_format")],
)
def test_ear_tag_tells_species_county_and_serial(tag: str, problem: str | None) -> None:
    assert codes.ear_tag_problem(tag) == problem


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_trace_code_is_valid_and_the_same_again(issuer: str, lot: str) -> None:
    code = codes.trace_code(issuer, lot)
    assert len(code) == 19
    assert codes.trace_code_problem(code) is None
    assert codes.trace_code(issuer, lot) == code


@given(st.text(min_size=1), st.integers(2, 18), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_character_in_a_trace_code_is_always_found(lot: str, place: int, wrong: str) -> None:
    code = codes.trace_code("licence:JY23501110153674", lot)
    changed = code[:place] + wrong + code[place + 1 :]
    assert (codes.trace_code_problem(changed) is None) == (changed == code)


def test_a_trace_code_depends_on_issuer_and_lot() -> None:
    assert len({codes.trace_code(*pair) for pair in [("a", "bc"), ("ab", "c"), ("a", "b"), ("b", "a")]}) == 4


@pytest.mark.parametrize(
    ("batch", "problem"),
    [
        ("01/06901234567892/10/L1", None),
        ("01/06901234567893/10/L1", "gtin_check_digit"),
        ("SL00000000000000000", "trace_code_check_digit"),
        ("another-issuer's-code-7", None),
    ],
)
def test_a_batch_is_judged_by_the_form_of_its_code(batch: str, problem: str | None) -> None:
    assert codes.batch_problem(batch) == problem


def test_every_problem_is_a_rule_that_flags() -> None:
    wrong = {
        codes.uscc_problem("1"),
        codes.uscc_problem("I" * 18),
        codes.uscc_problem("1" * 18),
        codes.licence_problem("SC1"),
        codes.licence_problem("SC" + "1" * 14),
        codes.id_number_problem("1"),
        codes.id_number_problem("1" * 18),
        codes.gtin_problem("1"),
        codes.gtin_problem("1" * 14),
        codes.ear_tag_problem("1"),
    }
    assert None not in wrong
    assert {rules.RULES[rule or ""].effect for rule in wrong} == {rules.Effect.FLAG}


@pytest.mark.parametrize("written", ["鲁A·D1234", "鲁Ａ d1234", "鲁A-D1234", "鲁A.D1234", "鲁a•ｄ１２３４", "鲁AD1234"])
def test_a_plate_is_one_however_it_is_written(written: str) -> None:
    assert codes.plate(written) == "鲁AD1234"


@pytest.mark.parametrize("written", ["无", "/", "三轮车"])
def test_what_holds_no_digit_is_no_plate(written: str) -> None:
    assert codes.plate(written) == written
    assert not codes.is_plate(written)
