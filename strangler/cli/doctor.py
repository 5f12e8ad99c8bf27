"""doctor: what is wrong with this installation."""

import os

import click

from strangler.cli.here import here
from strangler.cli.output import emit, json_option
from strangler.doctor import examine
from strangler.show.doctor import show_findings


@click.command()
@json_option
def doctor(*, as_json: bool) -> None:
    """Say what is wrong, and the next command.

    Looks at Python, packages, disk, audit, table, ports, databases, parts, workers, sockets and other
    machines. Exit 1 when there is a problem.
    """
    answer = examine(here(), os.environ)
    emit(answer, as_json=as_json, human=lambda console: show_findings(console, answer))
    if not all(finding.well for finding in answer):
        raise click.exceptions.Exit(1)
