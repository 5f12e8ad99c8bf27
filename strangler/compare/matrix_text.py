"""Write what a replay found for a person. Effects: the console it is given."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from strangler.compare.matrix import Cell
from strangler.compare.verdict import Verdict


def write_matrix(cells: tuple[Cell, ...], console: Console) -> None:
    """Print a row for each route and role, and the rows in which a role may do another thing on each side."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("route", "role", "monolith answered", "service answered", "verdicts"):
        table.add_column(name, overflow="fold")
    for cell in cells:
        style = "red" if cell.permitted_otherwise else "default"
        verdicts = Counter({verdict.value: n for verdict, n in cell.verdicts.items()})
        table.add_row(
            cell.route,
            cell.role,
            _counted(cell.control),
            _counted(cell.candidate),
            _counted(verdicts),
            style=style,
        )
    console.print(table)
    for cell in cells:
        if cell.permitted_otherwise:
            console.print(
                f"{cell.role} on {cell.route}: one side let them in and the other refused,"
                f" {cell.permitted_otherwise:,} times",
                style="bold red",
            )
    diffs = sum(cell.verdicts[Verdict.DIFF] for cell in cells)
    total = sum(cell.verdicts.total() for cell in cells)
    console.print(f"{total:,} asked, {diffs:,} DIFF; strangler compare report has each difference")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in sorted(counts.items()))
