"""A table of the bulletin, the same in every paper. Pure."""

import re
from decimal import Decimal
from typing import Any, NamedTuple

Document = dict[str, Any]
Cell = str | int


class Figure(str):
    """A number as people read it (87.66, +1.20, 90.52%): a text on paper, a number in the workbook."""

    __slots__ = ()

    @property
    def value(self) -> float:
        """What it stands for; 90.52% for 0.9052."""
        return float(Decimal(self.rstrip("%")) / (100 if self.endswith("%") else 1))

    @property
    def pattern(self) -> str:
        """The number format that shows it the same way."""
        plain = re.sub(r"\d+", lambda digits: "0" * len(digits[0]), re.sub(r"^[+-]?\d+", "0", self))
        return f"+{plain};-{plain};{plain}" if self[0] in "+-" else plain


class Table(NamedTuple):
    """A table; `rows` hold texts, figures and whole numbers.

    Lists and leagues are shortened on paper, never in the workbook.
    """

    id: str
    title: str
    head: list[str]
    rows: list[list[Cell]]
    note: str = ""
    league: bool = False
    """Ranked: its end says as much as its beginning."""

    def shortened(self, most: int) -> "Table":
        """The first rows, of a league the best and the worst; the note says how many there are."""
        if len(self.rows) <= most:
            return self
        gap: list[Cell] = ["…", *[""] * (len(self.head) - 1)]
        kept = [*self.rows[: most // 2], gap, *self.rows[-(most // 2) :]] if self.league else self.rows[:most]
        where = f"前后各{most // 2}行" if self.league else f"前{most}行"
        note = "　".join(filter(None, [self.note, f"共{len(self.rows)}行，此处列{where}，全部见工作簿。"]))
        return self._replace(rows=kept, note=note)
