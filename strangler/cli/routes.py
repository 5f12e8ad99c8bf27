"""routes, flip, back, apply, history: what is live where, and moving it."""

import click

from proxy.routes import Stage
from strangler import flip as moves
from strangler.cli.here import actor, here
from strangler.cli.output import emit, json_option
from strangler.history import history as recorded
from strangler.overview import list_routes
from strangler.pushing import push
from strangler.show.moves import show_history, show_move, show_pushed
from strangler.show.routes import show_routes
from strangler.steps import Forward

STAGE = click.Choice([stage.value for stage in Stage])


@click.command()
@json_option
def routes(*, as_json: bool) -> None:
    """Show every route: stage, owner, verdicts, last move."""
    answer = list_routes(here())
    emit(answer, as_json=as_json, human=lambda console: show_routes(console, answer))


@click.command()
@click.argument("route")
@click.argument("stage", type=STAGE, required=False)
@click.option("--percent", type=float, metavar="P", help="The canary's share of clients, 0.01 to 100.")
@click.option("--skip", is_flag=True, help="Go forward more than one stage; needs --reason.")
@click.option("--force", is_flag=True, help="Override what the gate answers; needs --reason, is recorded.")
@click.option("--reason", default="", metavar="R", help="Why, for the audit.")
@json_option
def flip(
    route: str,
    stage: str | None,
    percent: float | None,
    reason: str,
    *,
    skip: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Move ROUTE one stage forward, or to STAGE.

    The stages are monolith, shadow, canary, service, retired. A canary starts at 10 percent; at a canary,
    --percent sets its share, up or down. Acts at once and prints how to undo it.

    Before clients get more of the service, what was compared must open the route's gate: exit 2 where the
    sides differ, 3 where too little is known.
    """
    asked = Forward(Stage(stage) if stage else None, percent, skip, reason, force)
    answer = moves.flip(here(), route, asked, actor())
    emit(answer, as_json=as_json, human=lambda console: show_move(console, answer))


@click.command()
@click.argument("route")
@click.argument("stage", type=STAGE, required=False)
@click.option("--reason", default="", metavar="R", help="Why, for the audit.")
@json_option
def back(route: str, stage: str | None, reason: str, *, as_json: bool) -> None:
    """Move ROUTE back, one stage or to STAGE.

    To any earlier stage, at once and without a gate. Prints how to undo it.
    """
    answer = moves.back(here(), route, Stage(stage) if stage else None, reason, actor())
    emit(answer, as_json=as_json, human=lambda console: show_move(console, answer))


@click.command()
@json_option
def apply(*, as_json: bool) -> None:
    """Have every machine serve this machine's table.

    For one that was down or missed a change, and after an edit by hand. Changes nothing where it is served
    already. Exit 3 when a worker or machine has not confirmed it.
    """
    answer = push(here(), actor())
    emit(answer, as_json=as_json, human=lambda console: show_pushed(console, answer))
    if not answer.everywhere:
        raise click.exceptions.Exit(3)


@click.command()
@click.argument("route", required=False)
@json_option
def history(route: str | None, *, as_json: bool) -> None:
    """Show every change, and check the record.

    Of one ROUTE if it is named. Exit 1 names each line that is not as it was written.
    """
    answer = recorded(here(), route)
    emit(answer, as_json=as_json, human=lambda console: show_history(console, answer))
    if answer.faults:
        raise click.exceptions.Exit(1)
