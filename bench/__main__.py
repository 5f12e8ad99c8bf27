"""`python -m bench`: every benchmark with its usual arguments, one after the other. No logic."""

import click

from bench.command import run_command
from bench.compare.__main__ import main as compare
from bench.flip.__main__ import main as flip
from bench.proxy.__main__ import main as proxy
from bench.shadow.__main__ import main as shadow

SECTIONS = (proxy, flip, shadow, compare)


@click.command()
def main() -> None:
    """Measure everything: CPU per request, flips under load, shadows, comparison."""
    for section in SECTIONS:
        section(args=[], standalone_mode=False)


if __name__ == "__main__":
    run_command(main)
