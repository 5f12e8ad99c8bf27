"""Run one benchmark's command the usual way: refusals in two lines, programs stopped, figures in a file."""

import json
import signal
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from strangler.errors import StranglerError

Command = TypeVar("Command", bound=Callable[..., Any])


def run_command(command: click.Command) -> None:
    """Run `command` on this process's arguments. A refusal is printed and becomes the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a terminated run stops its programs too
    try:
        command()
    except StranglerError as error:
        click.echo(f"{error.id} {error.message}\n     next: {error.next}", err=True)
        sys.exit(error.exit_code)


def usual_options(peers: Collection[str], file: Path) -> Callable[[Command], Command]:
    """Give a command what every benchmark takes: `peers`, `python` and `file`, where the figures go."""
    options = (
        click.option("--peers", default=",".join(peers), show_default=True, help="Which proxies, by comma."),
        click.option(
            "--python",
            default=sys.executable,
            show_default=True,
            type=click.Path(exists=True, dir_okay=False),
            help="Runs our proxy.",
        ),
        click.option(
            "--json",
            "file",
            default=file,
            show_default=True,
            type=click.Path(dir_okay=False, path_type=Path),
            help="Where the raw figures go.",
        ),
    )

    def give(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return give


def chosen_peers(names: str, known: Collection[str]) -> list[str]:
    """Return the peers that `names` lists by comma. Raises click.BadParameter for one that is not known."""
    unknown = [name for name in names.split(",") if name not in known]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}; known: {', '.join(known)}", param_hint="--peers")
    return names.split(",")


def keep_figures(file: Path, document: Mapping[str, Any]) -> None:
    """Write everything that was measured to `file`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=2) + "\n")


def show(table: Table) -> None:
    """Print a table, wide enough where the output is no terminal."""
    table.pad_edge = False
    Console(width=None if sys.stdout.isatty() else 120).print(table)
