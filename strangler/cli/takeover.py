"""takeover: a group's tables change their owning database."""

import os

import click

from strangler.cli.here import here
from strangler.cli.output import emit, json_option
from strangler.show.takeover import show_start
from strangler.table_file import read_table
from strangler.takeover import start as starting


@click.group()
def takeover() -> None:
    """Move a group's tables from the monolith's database to the service's."""


@takeover.command()
@click.argument("group")
@click.option("--execute", is_flag=True, help="Do it; without this, only say what would be done.")
@json_option
def start(group: str, *, execute: bool, as_json: bool) -> None:
    """Copy GROUP's tables, once, to the service's database, replacing what is there.

    One snapshot of the monolith's database (MONOLITH_DATABASE_URL), one transaction on the service's
    (<SERVICE>_DATABASE_URL), verified before it is kept. The monolith goes on owning the tables.
    """
    place = here()
    routes = read_table(place.table).table
    report = starting.start(routes, group, os.environ, place.var, execute=execute)
    emit(report, as_json=as_json, human=lambda console: show_start(console, report))
