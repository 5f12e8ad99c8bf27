"""`python -m bench.proxy`: arguments to one run to a table and a JSON file. No logic."""

import sys
import tempfile
from pathlib import Path

import click

from bench.command import chosen_peers, keep_figures, run_command, show
from bench.machine import machine_facts
from bench.proxy.peers import PEERS
from bench.proxy.report import document, summarise, table, verdicts
from bench.proxy.run import measure
from bench.tools import ENVOY, HAPROXY, NGINX, WRK


@click.command()
@click.option(
    "--seconds", default=5, show_default=True, type=click.IntRange(1), help="Length of one measurement."
)
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Interleaved rounds.")
@click.option("--peers", default=",".join(PEERS), show_default=True, help="Which proxies, by comma.")
@click.option(
    "--python",
    default=sys.executable,
    show_default=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Runs our proxy.",
)
@click.option(
    "--json",
    "file",
    default="var/bench/proxy.json",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the raw figures go.",
)
def main(seconds: int, rounds: int, peers: str, python: str, file: Path) -> None:
    """Measure our proxy's CPU per request beside nginx, HAProxy and Envoy."""
    chosen = [PEERS[name] for name in chosen_peers(peers, PEERS)]
    samples = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for sample in measure(chosen, Path(folder), python=python, seconds=seconds, rounds=rounds):
            samples.append(sample)
            click.echo(f"round {sample.round} {sample.peer}: {sample.cpu_us:.1f} us a request", err=True)
    facts = machine_facts(python, [NGINX, HAPROXY, ENVOY, WRK])
    keep_figures(file, document(facts, samples))
    medians = summarise(samples)
    show(table(medians))
    click.echo(f"ours runs on {facts['python']}")
    for line in verdicts(medians):
        click.echo(line)


if __name__ == "__main__":
    run_command(main)
