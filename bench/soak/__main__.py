"""`python -m bench.soak`: arguments to one soak to two tables and a JSON file. No logic."""

import sys
import tempfile
from pathlib import Path

import click

from bench.command import keep_figures, run_command, show
from bench.machine import machine_facts
from bench.soak.report import document, kept, outcomes, promises
from bench.soak.run import Plan, soak


@click.command(name="soak")
@click.option(
    "--minutes",
    default=10.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Length.",
)
@click.option("--events", default=None, type=click.IntRange(1), help="End after so many events.")
@click.option("--clients", default=24, show_default=True, type=click.IntRange(1), help="At once.")
@click.option("--workers", default=3, show_default=True, type=click.IntRange(2), help="Of the proxy.")
@click.option(
    "--pace", default=500, show_default=True, type=click.IntRange(1), help="Right answers between two events."
)
@click.option("--seed", default=1, show_default=True, help="Draws who asks what, and what happens when.")
@click.option("--python", default=sys.executable, show_default=True, help="Runs our proxy.")
@click.option(
    "--json",
    "file",
    default=Path("var/bench/soak.json"),
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the raw figures go.",
)
def main(
    minutes: float,
    events: int | None,
    clients: int,
    workers: int,
    pace: int,
    seed: int,
    python: str,
    file: Path,
) -> None:
    """Kill origins and workers, flip routes, leave early; check every byte. Exits 1 on a broken promise."""
    plan = Plan(minutes * 60, clients, workers, pace, seed, python, events)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        soaked = soak(plan, Path(folder))
    keep_figures(file, document(machine_facts(python, []), soaked))
    show(outcomes(soaked))
    show(promises(soaked))
    for example in soaked.tally.examples:
        click.echo(example)
    if not kept(soaked):
        click.get_current_context().exit(1)


if __name__ == "__main__":
    run_command(main)
