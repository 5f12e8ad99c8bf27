"""`python -m bench.compare`: arguments to one run to a table and a JSON file. No logic."""

import sys
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import click
from rich.table import Table

from bench.command import keep_figures, run_command, show
from bench.compare.comparers import COMPARERS
from bench.compare.measure import Figure, measure
from bench.compare.pairs import candidates, control
from bench.machine import machine_facts

PEERS = ("deepdiff", "jsondiff")


@click.command()
@click.option("--seconds", default=1.0, show_default=True, type=click.FloatRange(0.01), help="For each cell.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Interleaved.")
@click.option(
    "--json",
    "file",
    default=Path("var/bench/compare.json"),
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the raw figures go.",
)
def main(seconds: float, rounds: int, file: Path) -> None:
    """Measure how many pairs of 15 KB of JSON one core compares, beside deepdiff and jsondiff."""
    with tempfile.TemporaryDirectory() as folder:
        found = list(measure(COMPARERS, candidates(), Path(folder), seconds=seconds, rounds=rounds))
    facts = {**machine_facts(sys.executable, []), "peers": {name: version(name) for name in PEERS}}
    keep_figures(
        file, {"machine": facts, "bytes": len(control()), "figures": [asdict(each) for each in found]}
    )
    show(_table(found))


def _table(found: list[Figure]) -> Table:
    table = Table(
        title=f"pairs a second on one core, {len(control()) / 1024:.0f} KB each", title_justify="left"
    )
    table.add_column("pairs")
    for name in COMPARERS:
        table.add_column(name, justify="right")
    rates = {(each.pairs, each.comparer): each.median for each in found}
    for kind in candidates():
        table.add_row(kind, *(f"{rates[kind, name]:,.0f}" for name in COMPARERS))
    return table


if __name__ == "__main__":
    run_command(main)
