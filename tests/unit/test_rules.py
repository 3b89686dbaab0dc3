"""The table of what is refused and what is flagged, and the words it gives."""

import pytest
from pydantic import BaseModel, ValidationError

from contracts import rules
from contracts.fields import LocalTime, Number
from contracts.rules import RULES, Effect, error, validation_errors
from contracts.trace import Step


def test_an_error_is_for_people_chinese_first_and_short() -> None:
    assert error("quantity", "-1" * 80, "quantity_negative").message == "数量为负 / negative quantity"
    assert len(error("quantity", "-1" * 80, "quantity_negative").value or "") == 80
    missing = error("product", None, "kde_missing", zh="名称", en="product name", clause="食品安全法第五十三条")
    assert missing.message == "缺少名称（食品安全法第五十三条） / missing product name (食品安全法第五十三条)"
    assert missing.value is None


def test_a_value_with_braces_is_quoted_as_it_is() -> None:
    assert error("a", "{0.__class__}", "unreadable").value == "{0.__class__}"


class Line(BaseModel):
    """A model with fields that fail in several ways."""

    step: Step
    time: LocalTime
    quantity: Number
    count: int


def test_a_models_complaints_become_rules() -> None:
    with pytest.raises(ValidationError) as caught:
        Line.model_validate({"step": "飞行", "quantity": "-1", "count": "x"})
    assert [(found.field, found.rule, found.value) for found in validation_errors(caught.value)] == [
        ("step", "unknown_step", "飞行"),
        ("time", "required", None),
        ("quantity", "quantity_negative", "-1"),
        ("count", "invalid_value", "x"),
    ]


def test_a_body_that_is_no_json_is_unreadable() -> None:
    with pytest.raises(ValidationError) as caught:
        Line.model_validate_json(b"\xff{")
    assert [found.rule for found in validation_errors(caught.value)] == ["unreadable"]


def test_every_rule_has_words_in_both_languages_and_a_source() -> None:
    assert all(rule.id and rule.zh and rule.en and rule.source for rule in RULES.values())
    assert all(not rule.zh.isascii() and rule.en.isascii() for rule in RULES.values())
    assert len(RULES) == len(rules._TABLE)


DOMAIN_TABLE = {
    Effect.REFUSE: "unreadable too_large unknown_kind unknown_version no_site no_operator no_batch unknown_step "
    "quantity_negative quantity_not_a_number time_future id_reused",
    Effect.FLAG: "kde_missing uscc_check_digit licence_check_digit unknown_division licence_expired "
    "unit_not_convertible time_order late_upload unknown_counterparty unshipped_receipt supplier_unlicensed "
    "operator_unregistered operator_suspended operator_revoked possible_duplicate",
}


@pytest.mark.parametrize("effect", list(Effect))
def test_every_row_of_the_domains_table_is_a_rule(effect: Effect) -> None:
    assert {RULES[rule].effect for rule in DOMAIN_TABLE[effect].split()} == {effect}
