"""watch: take routes back whose service turns bad."""

import signal
import threading
from dataclasses import replace

import click

from strangler.cli.here import actor, here
from strangler.watching import Watch
from strangler.watching import watch as watching


@click.command()
def watch() -> None:
    """Take routes back to shadow when their service turns bad, until this is stopped.

    Of the routes whose table says so, as `retreat = { errors = 5, diffs = 1 }`: percent of the last minute.
    Part of `strangler up`. Every retreat is in the audit, with its reason.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def told(route: str, text: str) -> None:
        click.echo(f"{route}: {text}")

    def pause(seconds: float) -> None:
        stop.wait(seconds)

    who = actor()
    watching(Watch(here(), replace(who, name=f"strangler watch ({who.name})"), told), stop.is_set, pause)
