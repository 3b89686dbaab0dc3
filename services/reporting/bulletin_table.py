"""A table of the bulletin, the same in every paper. Pure."""

from typing import Any, NamedTuple

Document = dict[str, Any]
Cell = str | int


class Table(NamedTuple):
    """A table; `rows` hold texts and whole numbers. Lists and leagues are shortened on paper, never in the workbook."""

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
