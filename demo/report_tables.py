"""How the demo draws a table."""

from rich import box
from rich.table import Table


def table(title: str, *heads: str) -> Table:
    """A table with a title, whose columns fold."""
    rows = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for head in heads:
        rows.add_column(head, overflow="fold")
    return rows
