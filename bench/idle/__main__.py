"""`python -m bench.idle`: arguments to one run to a table and a JSON file. No logic."""

import tempfile
from pathlib import Path

import click

from bench.command import chosen_peers, keep_figures, run_command, show, usual_options
from bench.idle.limits import room_for
from bench.idle.report import document, table, verdicts
from bench.idle.run import measure
from bench.machine import machine_facts
from bench.proxy.peers import PEERS
from bench.tools import ENVOY, HAPROXY, NGINX

NAMES = ("nginx", "haproxy", "envoy", "ours")


@click.command(name="idle")
@click.option(
    "--connections", default=10_000, show_default=True, type=click.IntRange(1), help="Idle ones at once."
)
@click.option("--rounds", default=2, show_default=True, type=click.IntRange(1), help="Interleaved rounds.")
@click.option(
    "--seconds", default=2.0, show_default=True, type=click.FloatRange(0.5), help="Of idleness measured."
)
@usual_options(NAMES, Path("var/bench/idle.json"))
def main(connections: int, rounds: int, seconds: float, peers: str, python: str, file: Path) -> None:
    """Hold idle connections to our proxy, nginx, HAProxy and Envoy; read the memory each costs."""
    chosen = [PEERS[name] for name in chosen_peers(peers, NAMES)]
    number = room_for(connections)
    samples = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for sample in measure(
            chosen, Path(folder), python=python, connections=number, rounds=rounds, seconds=seconds
        ):
            samples.append(sample)
            click.echo(f"round {sample.round} {sample.peer}: {sample.each_kib:.2f} KiB each", err=True)
    keep_figures(file, document(machine_facts(python, [NGINX, HAPROXY, ENVOY]), samples))
    show(table(samples))
    for line in verdicts(samples, connections):
        click.echo(line)


if __name__ == "__main__":
    run_command(main)
