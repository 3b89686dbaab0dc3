"""Ids are functions of the strongest identifier, the same in every app and every process."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import codes, identity

USCC = "91110000600037341L"
LICENCE = "JY23501110153674"
ID_NUMBER = "11010519491231002X"


@pytest.mark.parametrize(
    ("given_", "site"),
    [
        ({"licence": LICENCE, "uscc": USCC, "source": "market", "source_id": "7"}, f"licence:{LICENCE}"),
        ({"licence": "ｊｙ２３５０１１１０１５３６７４"}, f"licence:{LICENCE}"),
        ({"licence": "无", "uscc": USCC}, f"uscc:{USCC}"),
        ({"uscc": USCC, "local_number": " 3 "}, f"uscc:{USCC}:3"),
        ({"uscc": "/", "source": "market", "source_id": "stall-9"}, "market:stall-9"),
        ({"uscc": "000000000000000000", "source": "market", "source_id": "a@b c"}, "market:a_bc"),
        ({"source": "market", "source_id": "7", "id_number": ID_NUMBER}, "market:7"),
        ({"source": "market", "source_id": "—"}, None),
        ({"source": "market"}, None),
        ({}, None),
    ],
)
def test_a_site_is_told_by_its_strongest_identifier(given_: dict[str, str], site: str | None) -> None:
    assert identity.site_id(**given_) == site


@pytest.mark.parametrize(
    ("given_", "operator"),
    [
        ({"uscc": USCC, "id_number": ID_NUMBER, "licence": LICENCE}, f"uscc:{USCC}"),
        ({"licence": LICENCE, "source": "market", "source_id": "7"}, f"licence:{LICENCE}"),
        ({"source": "market", "source_id": "7"}, "market:7"),
        ({"uscc": "123"}, None),
    ],
)
def test_an_operator_is_told_by_its_strongest_identifier(given_: dict[str, str], operator: str | None) -> None:
    assert identity.operator_id(**given_) == operator


def test_a_person_is_a_pseudonym() -> None:
    person = identity.operator_id(id_number=ID_NUMBER, licence=LICENCE)
    assert person is not None
    assert person.startswith("person:")
    assert ID_NUMBER not in person
    assert person == identity.operator_id(id_number=ID_NUMBER.lower()) == identity.site_id(id_number=ID_NUMBER)


@given(st.text(), st.text(), st.text())
def test_no_id_holds_white_space_or_the_node_key_sign(code: str, number: str, own: str) -> None:
    ids = (
        identity.site_id(licence=code, uscc=code, local_number=number, source="market", source_id=own),
        identity.operator_id(uscc=code, licence=number, source="market", source_id=own),
        identity.batch_code(trace_code=code, gtin=number, lot=own, issuer="market:7"),
        identity.batch_code(gtin="6901234567892", lot=own),
    )
    for id in filter(None, ids):
        assert "@" not in id
        assert id.split() == [id]
        assert len(id) < 160


@pytest.mark.parametrize(
    ("given_", "batch"),
    [
        ({"trace_code": "sl 0123", "lot": "7", "issuer": "market:7"}, "SL0123"),
        ({"trace_code": "https://id.example/01/6901234567892/10/L7?x=1"}, "01/06901234567892/10/L7"),
        ({"gtin": "6901234567892", "lot": "L7", "issuer": "market:7"}, "01/06901234567892/10/L7"),
        ({"gtin": "690", "lot": "L7", "issuer": "market:7"}, codes.trace_code("market:7", "L7")),
        ({"lot": " l７", "issuer": "market:7"}, codes.trace_code("market:7", "L7")),
        ({"trace_code": "无", "lot": "L7", "issuer": "market:7"}, codes.trace_code("market:7", "L7")),
        ({"lot": "L7"}, None),
        ({"gtin": "6901234567892", "issuer": "market:7"}, None),
    ],
)
def test_a_batch_has_its_given_code_else_gs1_else_ours(given_: dict[str, str], batch: str | None) -> None:
    assert identity.batch_code(**given_) == batch


def event(
    document: str | None = "XS20260105001",
    line: int = 1,
    site: str | None = "market:7",
    step: str = "selling",
    source: str = "market",
    message_id: str = "m1",
) -> str:
    """The id of a record of which a test changes one thing."""
    return identity.record_id(document=document, line=line, site=site, step=step, source=source, message_id=message_id)


def test_the_same_document_from_two_apps_is_one_event() -> None:
    assert event() == event(source="catering", message_id="other") == event(document="ｘｓ20260105001 ")


def test_line_site_step_and_document_tell_events_apart() -> None:
    assert (
        len({event(), event(line=2), event(site="market:8"), event(step="shipping"), event(document="XS20260105002")})
        == 5
    )


@pytest.mark.parametrize("document", [None, "", "无", "0017"])
def test_without_a_document_the_message_tells_the_event(document: str | None) -> None:
    assert event(document) == event(document, step="shipping")
    assert (
        len({event(document), event(document, line=2), event(document, message_id="m2"), event(document, source="x")})
        == 4
    )


def test_a_document_without_a_site_identifies_nothing() -> None:
    assert event(site=None) != event(site=None, message_id="m2")


def test_record_ids_never_change() -> None:
    """Stored events keep theirs: a change of the function would record every repetition again."""
    assert event() == "E52b8f3e2a1d2b8ba719d75d0c01717e7"
    assert event(None) == "E7e1eb06e98f64dc6e273643a6b0b4b58"
