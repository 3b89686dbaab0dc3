"""Every row of the table of refused and flagged (`contracts.rules`), as senders really bring it about.

A fault spoils one draft: the last line, one party, the whole message, or the time it was sent.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final, NamedTuple

from demo.generator import codes
from demo.generator.drafts import Draft
from demo.generator.styles import Amount

TAKEN: Final = frozenset({"entry_ticket", "receipt", "purchase_inspection"})
GIVEN: Final = frozenset({"sale_ticket", "delivery_note"})
ANY: Final = TAKEN | GIVEN
TOO_LARGE: Final = 600_000
"""Characters of two bytes or three: more than the mebibyte that is taken."""


class Fault(NamedTuple):
    """`kinds` of paper it happens to, at most `most` a month. A `whole` one takes the message with it, so it falls on
    messages of one line.
    """

    rule: str
    spoil: Callable[[Draft, Random], object]
    kinds: frozenset[str] = ANY
    whole: bool = False
    fits: Callable[[Draft], object] = lambda _: True
    most: int = 1_000_000


def _unreadable(draft: Draft, _: Random) -> None:
    whole = draft.encoded()
    draft.raw = whole[: len(whole) // 2]


def _unknown_type(name: str) -> Callable[[Draft, Random], object]:
    def rename(draft: Draft, _: Random) -> None:
        draft.type = name.format(system=draft.type.partition(".")[0], kind=draft.paper.kind)

    return rename


def _in_body(name: str, value: object) -> Callable[[Draft, Random], object]:
    return lambda draft, _: draft.body.__setitem__(name, value)


def _in_line(**fields: object) -> Callable[[Draft, Random], object]:
    return lambda draft, _: draft.line.update(fields)


def _in_other(**fields: object) -> Callable[[Draft, Random], object]:
    return lambda draft, _: draft.other.update(fields)


def _amount(change: Callable[[Amount], Amount]) -> Callable[[Draft, Random], object]:
    return lambda draft, _: draft.line.update(amount=change(draft.line["amount"]))


def _no_site(draft: Draft, _: Random) -> None:
    draft.body[draft.role()] = {"name": draft.own["name"]}


def _not_an_object(draft: Draft, _: Random) -> None:
    draft.body[draft.role()] = draft.own["name"]


def _in_the_future(draft: Draft, _: Random) -> None:
    draft.body["time"] = draft.paper.time.replace(year=draft.paper.time.year + 20, day=1)


def _code(party: str, field: str, change: Callable[[str], str]) -> Callable[[Draft, Random], object]:
    def spoil(draft: Draft, _: Random) -> None:
        part = draft.other if party == "other" else draft.line
        part[field] = change(part[field])

    return spoil


def _next_digit(code: str, place: int) -> str:
    """Another character there, of the same kind."""
    place %= len(code)
    other = "1" if code[place] != "1" else "2"
    return code[:place] + other + code[place + 1 :]


def _wrong_organisation(code: str) -> str:
    """A wrong organisation check digit under a right check digit of the whole."""
    first = _next_digit(code[:17], 16)
    return first + codes.check_digit(first)


def _wrong_trace_code(code: str) -> str:
    return code[:-1] + ("A" if code[-1] != "A" else "B")


def _ago(draft: Draft, days: int) -> date:
    return draft.paper.time.date() - timedelta(days=days)


def _expired_licence(draft: Draft, _: Random) -> None:
    draft.own["licence_valid_until"] = _ago(draft, 10)


def _expired_supplier(draft: Draft, _: Random) -> None:
    draft.other["licence_valid_until"] = _ago(draft, 30)


def _expired_paper(draft: Draft, _: Random) -> None:
    draft.line["certificates"][0]["valid_until"] = _ago(draft, 3)


def _kept_a_day(draft: Draft, _: Random) -> None:
    draft.line["kept_until"] = draft.paper.time + timedelta(hours=24)


def _sent(**later: float) -> Callable[[Draft, Random], object]:
    def move(draft: Draft, _: Random) -> None:
        draft.sent = draft.paper.time + timedelta(**later)

    return move


def _stranger(draft: Draft, rng: Random) -> None:
    division = draft.own["division"]
    draft.own.update(
        id=None, name="无名小店", uscc=codes.uscc(rng, division, "92"), licence=codes.licence(rng, "JY1", division)
    )


def _never_shipped(draft: Draft, rng: Random) -> None:
    draft.line.update(trace_code=None, gtin=None, batch_no=f"X{codes.digits(rng, 10)}1")


def _wrong_tag(draft: Draft, _: Random) -> None:
    tags = draft.line["outputs"][0]["ear_tags"]
    tags[0] = tags[0][1:]


def _has_tags(draft: Draft) -> object:
    return _is_farming(draft) and draft.line["outputs"][0]["ear_tags"]


def _is_farming(draft: Draft) -> bool:
    return draft.paper.facts["step"] == "farming"


def _has_uscc(draft: Draft) -> object:
    """A counterparty whose site its licence tells, so that a wrong USCC breaks no chain."""
    return draft.other.get("uscc") and draft.other.get("licence")


def _buys_from_inside(draft: Draft) -> object:
    return draft.paper.other and not draft.paper.other.region


FAULTS: Final = (
    Fault("unreadable", _unreadable, whole=True),
    Fault("too_large", _in_body("remark", "备" * TOO_LARGE), whole=True, most=2),
    Fault("unknown_kind", _unknown_type("{system}.price_report.v1"), whole=True),
    Fault("unknown_version", _unknown_type("{system}.{kind}.v9"), whole=True),
    Fault("required", _in_body("time", None), whole=True),
    Fault("invalid_value", _not_an_object, whole=True),
    Fault("no_site", _no_site, whole=True),
    Fault("no_batch", _in_line(batch_no=None, trace_code=None, gtin=None, in_batch=None)),
    Fault("quantity_negative", _amount(lambda amount: Amount(-amount.number, amount.unit))),
    Fault("quantity_not_a_number", _in_line(amount=None, quantity="若干")),
    Fault("time_unreadable", _in_body("time", "明天早上"), whole=True),
    Fault("time_future", _in_the_future, whole=True),
    Fault("kde_missing", _in_other(address=None), TAKEN),
    Fault("unit_not_convertible", _amount(lambda amount: Amount(Decimal(12), "筐"))),
    Fault("unknown_counterparty", _in_other(uscc=None, licence=None, id_number=None, region=None), ANY, fits=_has_uscc),
    Fault("uscc_length", _code("other", "uscc", lambda code: code[:-1]), fits=_has_uscc),
    Fault("uscc_alphabet", _code("other", "uscc", lambda code: code[:8] + "O" + code[9:]), fits=_has_uscc),
    Fault("uscc_check_digit", _code("other", "uscc", lambda code: _next_digit(code, -1)), fits=_has_uscc),
    Fault("uscc_organisation_check_digit", _code("other", "uscc", _wrong_organisation), fits=_has_uscc),
    Fault("licence_length", _code("other", "licence", lambda code: code[:-1]), fits=_has_uscc),
    Fault("licence_check_digit", _code("other", "licence", lambda code: _next_digit(code, -1)), fits=_has_uscc),
    Fault(
        "gtin_check_digit",
        _code("line", "gtin", lambda code: _next_digit(code, -1)),
        fits=lambda draft: draft.line["gtin"],
    ),
    Fault(
        "trace_code_check_digit",
        _code("line", "trace_code", _wrong_trace_code),
        fits=lambda draft: draft.line["trace_code"],
    ),
    Fault("unknown_step", _in_line(step="其他"), frozenset({"capture"}), fits=_is_farming, most=3),
    Fault("ear_tag_format", _wrong_tag, frozenset({"capture"}), fits=_has_tags, most=3),
    Fault("unknown_division", _in_other(division="379999"), fits=_buys_from_inside),
    Fault("time_order", _sent(hours=-1)),
    Fault("date_unreadable", _in_line(produced_on="见包装")),
    Fault("late_upload", _sent(hours=70)),
    Fault("licence_expired", _expired_licence),
    Fault("document_expired", _expired_paper),
    Fault("supplier_unlicensed", _expired_supplier, TAKEN, fits=_has_uscc),
    Fault("sample_too_small", _amount(lambda amount: Amount(Decimal(50), "克")), frozenset({"retained_sample"})),
    Fault("sample_kept_too_short", _kept_a_day, frozenset({"retained_sample"})),
    Fault("operator_unregistered", _stranger, GIVEN | {"receipt"}, whole=True),
    Fault("unshipped_receipt", _never_shipped, TAKEN, fits=_buys_from_inside),
)
"""Rules that only the state of registry or trace can judge, and those of registrations, are brought about elsewhere."""
