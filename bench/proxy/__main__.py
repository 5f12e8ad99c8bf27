"""`python -m bench.proxy`: arguments to one run to a table and a JSON file. No logic."""

import tempfile
from pathlib import Path

import click

from bench.command import chosen_peers, keep_figures, run_command, show, usual_options
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
@usual_options(PEERS, Path("var/bench/proxy.json"))
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
