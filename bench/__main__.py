"""`python -m bench`: every benchmark with its usual arguments, one after the other; or one by name. No logic.

The soak is left out where all are asked for: it takes ten minutes.
"""

import click

from bench.command import run_command
from bench.compare.__main__ import main as compare
from bench.fallback.__main__ import main as fallback
from bench.flip.__main__ import main as flip
from bench.idle.__main__ import main as idle
from bench.proxy.__main__ import main as proxy
from bench.shadow.__main__ import main as shadow
from bench.soak.__main__ import main as soak
from bench.takeover.__main__ import main as takeover

SECTIONS = {
    "proxy": proxy,
    "flip": flip,
    "shadow": shadow,
    "fallback": fallback,
    "idle": idle,
    "compare": compare,
    "takeover": takeover,
}


@click.group(invoke_without_command=True, commands=SECTIONS | {"soak": soak})
@click.pass_context
def main(context: click.Context) -> None:
    """Measure everything: CPU per request, flips, shadows, fallback, idle connections, and the rest."""
    if context.invoked_subcommand is None:
        for section in SECTIONS.values():
            section(args=[], standalone_mode=False)


if __name__ == "__main__":
    run_command(main)
