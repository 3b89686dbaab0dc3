"""What a message says on each channel. Strict: a template that names a field its event lacks keeps a process down."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment, StrictUndefined, Template, meta

from services.notify.events.events import EVENTS

SOURCE: Final = Path(__file__).with_name("templates.toml")

SMS_VARIABLE: Final = 35
"""Characters of one variable of an SMS template."""
WECHAT_THING: Final = 20
"""Characters of a `thing` of an official account's template."""

_ENVIRONMENT: Final = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
_CUT: Final = {"sms": SMS_VARIABLE, "wechat": WECHAT_THING}


class Undeclared(Exception):
    """A template names fields that its event does not have, or an event has no template."""


class Words(NamedTuple):
    """The templates of one event. `sms_body` is filed with the provider, not sent."""

    title: Template
    text: Template
    sms_code: str
    sms_body: str
    sms: dict[str, Template]
    wechat: dict[str, Template]


class Rendered(NamedTuple):
    """What one recipient reads; `sms` and `wechat` are the variables of the provider's template."""

    title: str
    text: str
    sms: dict[str, str]
    wechat: dict[str, str]


@cache
def words() -> dict[str, Words]:
    """The templates by event. Raises Undeclared naming every field that no event has."""
    told = tomllib.loads(SOURCE.read_text(encoding="utf-8"))
    wrong = [f"{name}: no template" for name in EVENTS.keys() - told.keys()]
    wrong += [f"{name}: {field}" for name in told for field in _undeclared(name, told[name])]
    if wrong:
        raise Undeclared(f"{SOURCE.name}: {'; '.join(sorted(wrong))}")
    return {name: _words(entry) for name, entry in told.items()}


def render(event: str, facts: Mapping[str, str]) -> Rendered:
    """Raises jinja2.UndefinedError when a field of the event is missing."""
    entry = words()[event]
    return Rendered(
        entry.title.render(facts),
        entry.text.render(facts),
        {name: _short(template, facts, "sms") for name, template in entry.sms.items()},
        {name: _short(template, facts, "wechat") for name, template in entry.wechat.items()},
    )


def _short(template: Template, facts: Mapping[str, str], channel: str) -> str:
    text = template.render(facts)
    return text if len(text) <= _CUT[channel] else text[: _CUT[channel] - 1] + "…"


def _words(entry: Mapping[str, Any]) -> Words:
    return Words(
        _template(entry["title"]),
        _template("\n".join(_texts(entry))),
        entry["sms"]["code"],
        entry["sms"]["body"],
        {name: _template(text) for name, text in entry["sms"]["params"].items()},
        {name: _template(text) for name, text in entry["wechat"].items()},
    )


def _texts(entry: Mapping[str, Any]) -> list[str]:
    """Chinese first, English second."""
    return [entry[name] for name in ("text", "text_en") if name in entry]


def _template(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


def _undeclared(name: str, entry: Mapping[str, Any]) -> set[str]:
    texts = [entry["title"], *_texts(entry), *entry["sms"]["params"].values(), *entry["wechat"].values()]
    named = {field for text in texts for field in meta.find_undeclared_variables(_ENVIRONMENT.parse(text))}
    return named - {*EVENTS[name].fields} if name in EVENTS else {"no such event"}
