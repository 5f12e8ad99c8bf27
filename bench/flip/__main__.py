"""`python -m bench.flip`: arguments to one run to a table and a JSON file. No logic."""

import tempfile
from pathlib import Path

import click

from bench.command import chosen_peers, keep_figures, run_command, show, usual_options
from bench.flip.judge import judge
from bench.flip.peers import PEERS
from bench.flip.report import document, table, verdicts
from bench.flip.run import measure
from bench.machine import machine_facts
from bench.paced import Pace
from bench.tools import ENVOY, NGINX


@click.command()
@click.option("--flips", default=40, show_default=True, type=click.IntRange(2), help="Moves of the route.")
@click.option(
    "--interval", default=0.25, show_default=True, type=click.FloatRange(0.05), help="Seconds between two."
)
@click.option("--connections", default=32, show_default=True, type=click.IntRange(1), help="Clients.")
@click.option(
    "--rate", default=2000, show_default=True, type=click.IntRange(1), help="Requests a second, all clients."
)
@usual_options(PEERS, Path("var/bench/flip.json"))
def main(
    flips: int, interval: float, connections: int, rate: int, peers: str, python: str, file: Path
) -> None:
    """Move a route to and fro under load, with our proxy, Envoy and nginx."""
    names = chosen_peers(peers, PEERS)
    pace = Pace(connections, rate)
    judged = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for run in measure(names, Path(folder), python=python, flips=flips, interval=interval, pace=pace):
            judged.append(judge(run))
            click.echo(f"{run.peer}: {flips} flips, {judged[-1].errors} client errors", err=True)
    facts = machine_facts(python, [NGINX, ENVOY])
    keep_figures(file, document(facts, judged))
    show(table(judged))
    for line in verdicts(judged):
        click.echo(line)


if __name__ == "__main__":
    run_command(main)
