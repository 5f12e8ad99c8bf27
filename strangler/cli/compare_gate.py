"""`strangler compare gate|settle`: arguments to one use case to an exit code."""

import sys

import click

from strangler.cli.here import actor, here
from strangler.cli.output import emit, json_option
from strangler.gates import exit_code, gates, settle
from strangler.show.gates import show_gates


@click.command("gate")
@click.argument("route", required=False)
@json_option
def gate_(route: str | None, as_json: bool) -> None:
    """Show what the gate of every route would answer now, and what it rests on.

    Exit 0 when all would pass, 2 when one refuses, 3 when too little is known.
    """
    answers = gates(here(), route, actor().now())
    emit({"gates": answers}, as_json=as_json, human=lambda console: show_gates(console, answers))
    sys.exit(exit_code(answers))


@click.command("settle")
@click.argument("route")
@click.option("--reason", default="", metavar="R", help="What was mended.")
@json_option
def settle_(route: str, reason: str, as_json: bool) -> None:
    """Begin ROUTE's evidence anew, after the service was mended or a rule was written.

    Nothing compared up to now counts for its gate; reports keep showing all of it.
    """
    settle(here(), route, reason, actor())
    emit(
        {"route": route, "settled": True},
        as_json=as_json,
        human=lambda console: console.print(f"{route}: evidence begins anew", markup=False),
    )
