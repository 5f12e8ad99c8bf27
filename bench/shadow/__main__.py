"""`python -m bench.shadow`: arguments to one run to a table and a JSON file. No logic."""

import tempfile
from pathlib import Path

import click

from bench.command import chosen_peers, keep_figures, run_command, show, usual_options
from bench.machine import machine_facts
from bench.paced import Pace
from bench.shadow.judge import figures
from bench.shadow.peers import PEERS
from bench.shadow.report import document, table, verdicts
from bench.shadow.run import measure
from bench.tools import ENVOY, NGINX


@click.command()
@click.option(
    "--seconds", default=4, show_default=True, type=click.IntRange(1), help="Length of one measurement."
)
@click.option(
    "--rounds", default=3, show_default=True, type=click.IntRange(2), help="Interleaved; two show noise."
)
@click.option("--connections", default=32, show_default=True, type=click.IntRange(1), help="Clients.")
@click.option(
    "--rate", default=1000, show_default=True, type=click.IntRange(1), help="Requests a second, all clients."
)
@usual_options(PEERS, Path("var/bench/shadow.json"))
def main(seconds: int, rounds: int, connections: int, rate: int, peers: str, python: str, file: Path) -> None:
    """Measure what clients notice of shadows, with our proxy, Envoy and nginx."""
    names = chosen_peers(peers, PEERS)
    pace = Pace(connections, rate, per_connection=10)
    measured = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for sample in measure(names, Path(folder), python=python, seconds=seconds, rounds=rounds, pace=pace):
            measured.append(figures(sample))
            click.echo(
                f"round {sample.round} {sample.peer}, {sample.candidate} candidate:"
                f" next request {measured[-1].next_p50:.2f} ms",
                err=True,
            )
    facts = machine_facts(python, [NGINX, ENVOY])
    keep_figures(file, document(facts, measured))
    show(table(measured))
    for line in verdicts(measured):
        click.echo(line)


if __name__ == "__main__":
    run_command(main)
