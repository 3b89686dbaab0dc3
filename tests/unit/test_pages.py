"""Page sizes and page tokens."""

import base64
import json
from typing import Any

import pytest
from shilian.registry.v1 import registry_pb2
from shilian.trace.v1 import trace_pb2

from chassis.api.errors import InvalidArgument
from chassis.api.pages import page_size, page_token, position

REQUEST = registry_pb2.ListOperatorsRequest(division="3701", page_size=10)


def again(token: str, division: str = "3701") -> registry_pb2.ListOperatorsRequest:
    return registry_pb2.ListOperatorsRequest(division=division, page_token=token)


@pytest.mark.parametrize(("asked", "answered"), [(0, 50), (1, 1), (500, 500), (501, 500)])
def test_page_size_is_clamped(asked: int, answered: int) -> None:
    assert page_size(registry_pb2.ListOperatorsRequest(page_size=asked)) == answered


def test_a_negative_page_size_is_invalid() -> None:
    with pytest.raises(InvalidArgument):
        page_size(registry_pb2.ListOperatorsRequest(page_size=-1))


def test_a_first_page_has_no_position() -> None:
    assert position(REQUEST, str) is None


def test_a_token_gives_its_position_back_whatever_the_page_size() -> None:
    assert position(again(page_token(REQUEST, ["济南", 7])), str, int) == ["济南", 7]


def _forged(*parts: Any) -> str:
    return page_token(REQUEST, parts)


def _surrogate() -> str:
    digest = json.loads(base64.urlsafe_b64decode(page_token(REQUEST, [""]) + "=="))[0]
    return base64.urlsafe_b64encode(json.dumps([digest, "\ud800"]).encode()).decode()


@pytest.mark.parametrize(
    "token", ["x", "济", "AAAA", _forged(), _forged(1, 2), _forged("one"), _forged([1]), _forged(1e999), "W" * 4001]
)
def test_a_token_that_is_not_ours_is_invalid(token: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        position(again(token), int)
    assert refused.value.fields[0].field == "page_token"


def test_a_token_of_what_is_no_text_is_invalid() -> None:
    with pytest.raises(InvalidArgument):
        position(again(_surrogate()), str)


def test_a_token_of_another_question_is_invalid() -> None:
    with pytest.raises(InvalidArgument):
        position(again(page_token(REQUEST, ["a"]), division="3702"), str)
    with pytest.raises(InvalidArgument):
        position(trace_pb2.QueryEventsRequest(page_token=page_token(REQUEST, ["a"])), str)
