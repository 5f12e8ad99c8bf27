"""Run one benchmark's command the usual way: refusals in two lines, programs stopped, figures in a file."""

import json
import signal
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from strangler.errors import StranglerError


def run_command(command: click.Command) -> None:
    """Run `command` on this process's arguments. A refusal is printed and becomes the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a terminated run stops its programs too
    try:
        command()
    except StranglerError as error:
        click.echo(f"{error.id} {error.message}\n     next: {error.next}", err=True)
        sys.exit(error.exit_code)


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
