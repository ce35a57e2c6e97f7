"""A comparison for a terminal."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from negmine.jobs.compare.result import Comparison, Side
from negmine.jobs.compare.rows import Shown, shown
from negmine.jobs.terminal import printable


def render(comparison: Comparison) -> RenderableType:
    """The verdict, what to mind, and the tables; `--json` and `--html` have every tier's."""
    parts: list[RenderableType] = [
        Text(f"A: {_named(comparison.a)}\nB: {_named(comparison.b)}"),
        Padding(Text(printable(comparison.verdict), style="bold"), (1, 0, 0, 0)),
        *(Text(f"warning: {printable(line)}") for line in comparison.warnings),
    ]
    for table in shown(comparison, every=False):
        title = Text(printable(table.title), style="italic")
        parts.append(Padding(Group(title, _table(table)), (1, 0, 0, 0)))
    return Group(*parts)


def _named(side: Side) -> str:
    created = f" ({side.created})" if side.created else ""
    return printable(f"run {side.run_id}{created}")


def _table(table: Shown) -> Table:
    made = Table(show_edge=False, pad_edge=False)
    for at, heading in enumerate(table.headings):
        made.add_column(
            Text(printable(heading)),
            justify="left" if at < table.words else "right",
            overflow="fold",
        )
    for row in table.rows:
        made.add_row(*(Text(printable(cell)) for cell in row))
    return made
