"""Tables of the vendors' guide that the code knows better than its author: rules, and words for fields."""

import re
from collections import defaultdict
from typing import Final

from contracts.rules import RULES, Effect
from contracts.words import WORDS

_EFFECTS: Final = {Effect.REFUSE: "拒绝", Effect.FLAG: "标记"}
_PLACEHOLDERS: Final = defaultdict(lambda: "…", {"hours": "24", "grams": "125"})


def rules() -> str:
    """Every rule: id, effect, Chinese text, source."""
    rows = (
        f"| `{rule.id}` | {_EFFECTS[rule.effect]} | {rule.zh.format_map(_PLACEHOLDERS)} | {rule.source} |"
        for rule in RULES.values()
    )
    return "\n".join(("| 错误码 | 结果 | 含义 | 依据 |", "|---|---|---|---|", *rows))


def words() -> str:
    """Every field: its documented name, its Chinese title, and what else is understood."""
    rows = (f"| `{name}` | {title} | {'、'.join(others)} |" for name, (title, *others) in sorted(WORDS.items()))
    return "\n".join(("| 字段 | 中文名 | 也接受 |", "|---|---|---|", *rows))


def filled(guide: str) -> str:
    """The guide with what stands between `<!-- rules -->` and `<!-- /rules -->`, and likewise `words`, made anew."""
    return _between(_between(guide, "rules", rules()), "words", words())


def _between(guide: str, name: str, table: str) -> str:
    block = f"<!-- {name} -->\n{table}\n<!-- /{name} -->"
    return re.sub(rf"<!-- {name} -->.*?<!-- /{name} -->", lambda _: block, guide, flags=re.DOTALL)
