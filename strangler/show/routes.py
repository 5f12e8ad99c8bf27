"""Print the list of routes."""

from collections.abc import Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from proxy.routes import Stage
from strangler.overview import LastMove, RouteList
from strangler.steps import Position

STAGE_STYLES = {
    Stage.MONOLITH: "default",
    Stage.SHADOW: "cyan",
    Stage.CANARY: "yellow",
    Stage.SERVICE: "green",
    Stage.RETIRED: "dim",
}


def show_routes(console: Console, answer: RouteList) -> None:
    """Print every route with stage, owner, verdicts and last move."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("route", "stage", "owner", "verdicts", "last move"):
        table.add_column(heading, overflow="fold")
    for row in answer.routes:
        table.add_row(
            row.name,
            stage_words(row.stage, row.percent),
            row.owner,
            verdict_words(row.verdicts),
            _last(row.last),
        )
    console.print(table)
    console.print(f"table version {answer.version}")


def stage_words(stage: Stage, percent: float) -> str:
    """Return a stage with its percent, in the stage's colour."""
    return f"[{STAGE_STYLES[stage]}]{Position(stage, percent)}[/]"


def verdict_words(verdicts: Mapping[str, int]) -> str:
    """Return verdict counts in one line, a dash where nothing was compared."""
    return ", ".join(f"{n:,} {verdict}" for verdict, n in verdicts.items()) or "-"


def _last(move: LastMove | None) -> str:
    if move is None:
        return "-"
    return f"{move.at[:16].replace('T', ' ')} {move.action} by {move.who}"
