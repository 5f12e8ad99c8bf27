"""`python -m bench takeover`: arguments to one run to tables and a JSON file. No logic."""

import os
import sys
import tempfile
from pathlib import Path

import click

from bench.command import keep_figures, run_command, show
from bench.machine import machine_facts
from bench.takeover.measure import capturing, copying, pausing, rechecking, verifying
from bench.takeover.place import place_on
from bench.takeover.report import Figures, document, table, verdicts

SERVER = "postgresql://postgres@127.0.0.1:5432/postgres"


@click.command()
@click.option(
    "--rows", default=200_000, show_default=True, type=click.IntRange(100_000), help="Of the table."
)
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Of copies and updates.")
@click.option("--cutovers", default=20, show_default=True, type=click.IntRange(1), help="There and back.")
@click.option(
    "--postgres",
    default=lambda: os.environ.get("STRANGLER_TEST_PG", SERVER),
    help="A server on which databases may be made; STRANGLER_TEST_PG, else the usual one.",
)
@click.option(
    "--json",
    "file",
    default=Path("var/bench/takeover.json"),
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the raw figures go.",
)
def main(rows: int, rounds: int, cutovers: int, postgres: str, file: Path) -> None:
    """Measure backfill, capture, verification, comparing again and the pause of cutovers, on PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, place_on(postgres) as place:
        var = Path(folder)
        figures = Figures(
            rows,
            tuple(copying(place, rows, rounds, var)),
            tuple(capturing(place, rows, rounds, var)),
            verifying(place, rows, var),
            rechecking(place, rows, var),
            pausing(place, rows, cutovers, var),
        )
    keep_figures(file, document(machine_facts(sys.executable, []), figures))
    show(table(figures))
    for line in verdicts(figures):
        click.echo(line)


if __name__ == "__main__":
    run_command(main)
