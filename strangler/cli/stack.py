"""up, down, status: the whole stack on this machine."""

import os

import click

from strangler import stack
from strangler.cli.here import actor, here
from strangler.cli.output import emit, json_option
from strangler.show.stack import show_started, show_status, show_stopped
from strangler.status import look


@click.command()
@json_option
def up(*, as_json: bool) -> None:
    """Start the whole stack on this machine.

    Migrates the databases first and returns when every part answers. Refuses when it runs already, when a
    port is taken or the table is not sound; when a part does not come up, everything is stopped again.
    """
    answer = stack.up(here(), os.environ, who=actor().name)
    emit(answer, as_json=as_json, human=lambda console: show_started(console, answer))


@click.command()
@json_option
def down(*, as_json: bool) -> None:
    """Stop the whole stack and wait until it is gone."""
    answer = stack.down(here())
    emit(answer, as_json=as_json, human=lambda console: show_stopped(console, answer))


@click.command()
@json_option
def status(*, as_json: bool) -> None:
    """Show what is live where, now.

    Parts, table, workers, routes with their counts (in the last 1, 5 and 15 minutes too), what no route
    names, health of the upstreams. Works when all is down, too.
    """
    answer = look(here())
    emit(answer, as_json=as_json, human=lambda console: show_status(console, answer))
