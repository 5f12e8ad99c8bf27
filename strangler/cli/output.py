"""How every verb speaks: an answer as JSON or for a person, a refusal with what to type next."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.text import Text

from strangler.errors import StranglerError

Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(command: Command) -> Command:
    """Give a command `--json`, as its argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")(command)


def console() -> Console:
    """Return the terminal, or a plain one of its width where there is none."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())


def emit(answer: object, *, as_json: bool, human: Callable[[Console], None]) -> None:
    """Print an answer: itself as JSON, or what `human` prints of it."""
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(answer), indent=2))
    else:
        human(console())


def show_error(error: StranglerError, *, as_json: bool) -> None:
    """Print a refusal: on stderr for a person, on stdout as JSON."""
    if as_json:
        named = {"id": error.id, "message": error.message, "next": error.next}
        click.echo(msgspec.json.encode({"error": named}))
        return
    stderr = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    stderr.print(Text.assemble((error.id, "bold red"), f" {error.message}"))
    stderr.print(Text.assemble(("     next: ", "dim"), (error.next, "bold")))
