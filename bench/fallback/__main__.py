"""`python -m bench.fallback`: arguments to one run to two tables and a JSON file. No logic."""

import tempfile
from pathlib import Path

import click

from bench.command import chosen_peers, keep_figures, run_command, show, usual_options
from bench.fallback.judge import figures
from bench.fallback.peers import PEERS
from bench.fallback.report import document, reads, verdicts, writes
from bench.fallback.run import measure
from bench.machine import machine_facts
from bench.paced import Pace
from bench.tools import ENVOY, HAPROXY, NGINX


@click.command(name="fallback")
@click.option(
    "--seconds", default=2, show_default=True, type=click.IntRange(1), help="Length of one measurement."
)
@click.option("--rounds", default=2, show_default=True, type=click.IntRange(1), help="Interleaved rounds.")
@click.option("--connections", default=16, show_default=True, type=click.IntRange(1), help="Clients.")
@click.option(
    "--rate", default=400, show_default=True, type=click.IntRange(1), help="Requests a second, all clients."
)
@click.option(
    "--writes",
    "number",
    default=5,
    show_default=True,
    type=click.IntRange(1),
    help="Of each of four methods, in each round under each failure.",
)
@usual_options(PEERS, Path("var/bench/fallback.json"))
def main(
    seconds: int, rounds: int, connections: int, rate: int, number: int, peers: str, python: str, file: Path
) -> None:
    """Let the service fail behind our proxy, nginx, HAProxy and Envoy; count errors and repeated writes."""
    names = chosen_peers(peers, PEERS)
    pace = Pace(connections, rate)
    measured = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        samples = measure(
            names, Path(folder), python=python, seconds=seconds, rounds=rounds, pace=pace, writes=number
        )
        for sample in samples:
            measured.append(figures(sample))
            click.echo(
                f"round {sample.round} {sample.peer}, service {sample.failing}: {sample.seen.errors} errors,"
                f" {sample.performed.twice} writes twice",
                err=True,
            )
    facts = machine_facts(python, [NGINX, HAPROXY, ENVOY])
    keep_figures(file, document(facts, measured))
    show(reads(measured))
    show(writes(measured))
    for line in verdicts(measured):
        click.echo(line)


if __name__ == "__main__":
    run_command(main)
