"""sign: headers by which the proxy lets a caller look behind it."""

import click
from rich.console import Console

from proxy.claims import TARGETS, Purpose
from strangler.cli.here import here
from strangler.cli.output import emit, json_option
from strangler.signing import Signed
from strangler.signing import sign as signing

MOST_MINUTES = 24 * 60


@click.command()
@click.argument("purpose", type=click.Choice([purpose.value for purpose in Purpose]))
@click.argument("side", type=click.Choice(TARGETS), required=False)
@click.option(
    "--minutes",
    type=click.IntRange(1, MOST_MINUTES),
    default=10,
    metavar="N",
    show_default=True,
    help="How long the proxy believes it.",
)
@json_option
def sign(purpose: str, side: str | None, minutes: int, *, as_json: bool) -> None:
    """Sign a header that the proxy believes: debug, or target SIDE.

    With debug, answers say how they were decided. With target, SIDE (monolith or service) answers what is
    safe to ask of either, whatever the stage: writes go to their owner all the same.
    """
    if (side is None) is (purpose == Purpose.TARGET):
        wanted = "a SIDE: " + " or ".join(TARGETS) if side is None else "no SIDE"
        raise click.UsageError(f"{purpose} takes {wanted}")
    answer = signing(here(), Purpose(purpose), side or "", minutes)
    emit(answer, as_json=as_json, human=lambda console: _show(console, answer))


def _show(console: Console, answer: Signed) -> None:
    console.print(f"{answer.header}: {answer.value}", soft_wrap=True)
    console.print(f"[dim]until {answer.until}; curl -H '{answer.header}: …'[/]", soft_wrap=True)
