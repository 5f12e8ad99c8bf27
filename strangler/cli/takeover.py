"""takeover, sync: a group's tables change their owning database."""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from rich.console import Console

from proxy.routes import RouteTable
from strangler.cli.here import actor, here
from strangler.cli.output import emit, json_option
from strangler.cutover_gate import audited, require_passage, write_gates
from strangler.fleet import tell_synced
from strangler.installation import Installation
from strangler.show import takeover as show
from strangler.show.gates import show_gates
from strangler.table_file import read_table
from strangler.takeover.cancel import cancel as cancelling
from strangler.takeover.cutover import cutover as cutting
from strangler.takeover.drop_archive import drop_archive
from strangler.takeover.handover import Where
from strangler.takeover.mapping import Mapping as TableMappings
from strangler.takeover.mapping import read_mapping
from strangler.takeover.pace import set_pace
from strangler.takeover.plan import plan as planning
from strangler.takeover.proxy_gateway import ProxyGateway
from strangler.takeover.resume import resume as resuming
from strangler.takeover.retire import Asked
from strangler.takeover.retire import retire as retiring
from strangler.takeover.rollback import rollback as rolling
from strangler.takeover.session import find_group
from strangler.takeover.start import Listener
from strangler.takeover.start import start as starting
from strangler.takeover.state import Pace
from strangler.takeover.status import status as looking
from strangler.takeover.sync import Follower
from strangler.takeover.sync import sync as following
from strangler.takeover.verify import verify as verifying
from strangler.takeover.writers import Change, note_writers

EXECUTE_HELP = "Do it; without this, only say what would be done."
Command = Callable[..., Any]


def execute_option(command: Command) -> Command:
    """Give a command `--execute`."""
    return click.option("--execute", is_flag=True, help=EXECUTE_HELP)(command)


@dataclass(frozen=True)
class Here:
    """The installation with its table as it is now."""

    place: Installation
    routes: RouteTable

    def mapping(self, group: str) -> TableMappings:
        """Return how the service of a group calls its tables and columns."""
        service = find_group(self.routes, group).service
        return read_mapping(self.place.root / "extracted" / service / "takeover.toml")

    def where(
        self,
        group: str,
        reason: str = "",
        gate: Mapping[str, object] | None = None,
        known: tuple[str, ...] = (),
    ) -> Where:
        """Return where the takeover of a group is."""
        gateway = ProxyGateway(self.place, actor(), reason, gate, known)
        return Where(self.routes, group, os.environ, self.place.var, self.mapping(group), gateway)


def _here() -> Here:
    place = here()
    return Here(place, read_table(place.table).table)


@click.group()
def takeover() -> None:
    """Move a group's tables from the monolith's database to the service's.

    plan, start and verify touch no owner; cutover and rollback change it, under live writes. The databases
    are MONOLITH_DATABASE_URL and <SERVICE>_DATABASE_URL.
    """


@takeover.command()
@click.argument("group")
@json_option
def plan(group: str, *, as_json: bool) -> None:
    """Say what stands in the way of taking over GROUP.

    Reads both schemas and touches nothing. Exit 1 where something must be put right first.
    """
    now = _here()
    report = planning(now.routes, group, os.environ, now.place.var, now.mapping(group))
    emit(report, as_json=as_json, human=lambda console: show.show_plan(console, report))
    if not report.possible:
        raise click.exceptions.Exit(1)


@takeover.command()
@click.argument("group")
@execute_option
@json_option
def start(group: str, *, execute: bool, as_json: bool) -> None:
    """Copy GROUP's tables to the service's database, and capture changes.

    Writers go on meanwhile, and the monolith goes on owning the tables. Killed, the same command goes on
    where it was; run again, it catches up. `strangler sync` keeps the copy up to date from then on.
    """
    now = _here()
    said: list[str] = []

    def slowed(because: str) -> None:
        if because and because not in said[-1:]:
            click.echo(f"{group}: slow: {because}", err=True)
        said.append(because)

    report = starting(
        now.routes,
        group,
        os.environ,
        now.place.var,
        execute=execute,
        mappings=now.mapping(group),
        listener=Listener(slowed=slowed),
    )
    emit(report, as_json=as_json, human=lambda console: show.show_start(console, report))


@takeover.command()
@click.argument("group")
@click.option("--again", is_flag=True, help="Read tables too that were found equal before.")
@json_option
def verify(group: str, *, again: bool, as_json: bool) -> None:
    """Prove that both databases hold the same of GROUP.

    Reads both as they were at one moment, while writes go on. Exit 1 names rows that differ.
    """
    now = _here()
    report = verifying(now.routes, group, os.environ, now.place.var, mappings=now.mapping(group), again=again)
    emit(report, as_json=as_json, human=lambda console: show.show_verify(console, report))
    if report.differing:
        raise click.exceptions.Exit(1)


@takeover.command("status")
@click.argument("group")
@json_option
def takeover_status(group: str, *, as_json: bool) -> None:
    """Show who owns GROUP's tables and how far the other side is behind."""
    report = looking(_here().where(group))
    emit(report, as_json=as_json, human=lambda console: show.show_status(console, report))


@takeover.command()
@click.argument("group")
@click.option("--reason", default="", metavar="R", help="Why, for the audit.")
@click.option("--force", is_flag=True, help="Whatever gates say and whoever else writes; wants --reason.")
@click.option("--known", multiple=True, metavar="NAME", help="A writer that may meet the fence; repeatable.")
@execute_option
@json_option
def cutover(
    group: str, reason: str, known: tuple[str, ...], *, force: bool, execute: bool, as_json: bool
) -> None:
    """Make the service the owner of GROUP's tables.

    Its writing routes move in the same step. Writes wait for it, some tens of milliseconds; none is lost. The
    monolith keeps a copy that follows, and a fence that refuses writes there.

    The gate of every writing route that has its writes rehearsed must pass. Exit 2 where one refuses, 3 where
    too little is known.

    Who was seen to write (`strangler takeover writers GROUP`) and goes through none of its writing routes
    must be acknowledged by name: the fence refuses them.
    """
    now = _here()
    gates = write_gates(now.place, group, actor().now(), forced=force, reason=reason)
    require_passage(gates)
    where = now.where(group, reason, audited(gates), known)
    report = cutting(where, execute=execute, known=known, forced=force)
    answer = {**msgspec.to_builtins(report), "gates": gates.routes}

    def human(console: Console) -> None:
        show_gates(console, gates.routes)
        show.show_handover(console, report)

    emit(answer, as_json=as_json, human=human)


@takeover.command()
@click.argument("group")
@click.option("--reason", default="", metavar="R", help="Why, for the audit.")
@execute_option
@json_option
def rollback(group: str, reason: str, *, execute: bool, as_json: bool) -> None:
    """Make the monolith the owner again; nothing written meanwhile is lost."""
    report = rolling(_here().where(group, reason), execute=execute)
    emit(report, as_json=as_json, human=lambda console: show.show_handover(console, report))


@takeover.command()
@click.argument("group")
@execute_option
@json_option
def resume(group: str, *, execute: bool, as_json: bool) -> None:
    """Finish a change of GROUP's owner that was interrupted."""
    report = resuming(_here().where(group, "resumed"), execute=execute)
    emit(report, as_json=as_json, human=lambda console: show.show_resumed(console, report))


@takeover.command()
@click.argument("group")
@execute_option
@json_option
def cancel(group: str, *, execute: bool, as_json: bool) -> None:
    """Undo what was begun for GROUP and not decided.

    An interrupted change of owner is given up; with none, the takeover itself ends and captures no more.
    """
    report = cancelling(_here().where(group), execute=execute)
    emit(report, as_json=as_json, human=lambda console: show.show_cancelled(console, report))


@takeover.command()
@click.argument("group")
@click.option("--keep-referred", is_flag=True, help="Leave tables in place that others refer to.")
@click.option("--keep-owner", is_flag=True, help="Leave tables to their owner, who can disable the fence.")
@click.option("--drop", is_flag=True, help="Delete the archive of a retired group.")
@click.option("--confirm", default="", metavar="TABLES", help="The tables' names, with commas: no way back.")
@execute_option
@json_option
def retire(
    group: str,
    confirm: str,
    *,
    keep_referred: bool,
    keep_owner: bool,
    drop: bool,
    execute: bool,
    as_json: bool,
) -> None:
    """Make an archive of the monolith's copy of GROUP, for good.

    It follows no more, its tables get the names <table>_retired_<date> and, on PostgreSQL, an owner that
    nobody logs in as. There is no rollback after this. With --drop, later, the archive is deleted.
    """
    where = _here().where(group)
    if drop:
        dropped = drop_archive(where, confirm, execute=execute)
        emit(dropped, as_json=as_json, human=lambda console: show.show_dropped(console, dropped))
        return
    asked = Asked(confirm, keep_referred, keep_owner, execute)
    report = retiring(where, asked, datetime.now(UTC).date())
    emit(report, as_json=as_json, human=lambda console: show.show_retired(console, report))


@takeover.command()
@click.argument("group")
@click.option("--stop", is_flag=True, help="Note nobody any more; who was seen stays listed.")
@execute_option
@json_option
def writers(group: str, *, stop: bool, execute: bool, as_json: bool) -> None:
    """List who writes GROUP's tables in the monolith.

    With --execute every writer is noted from now on, and none refused: let it run over a night and whatever
    else comes seldom. A cutover wants those without a route stopped, moved or acknowledged.
    """
    change = Change.STOP if stop else Change.START if execute else Change.NONE
    report = note_writers(_here().where(group), change)
    emit(report, as_json=as_json, human=lambda console: show.show_writers(console, report))


COUNT, AMOUNT = click.IntRange(min=0), click.FloatRange(min=0)


@takeover.command()
@click.argument("group")
@click.option("--pause", "paused", is_flag=True, help="Let the follower stand still.")
@click.option("--rows", default=0.0, type=AMOUNT, metavar="N", help="Rows a second the copy may take.")
@click.option(
    "--max-lag", default=0.0, type=AMOUNT, metavar="S", help="Rest while a standby is more seconds behind."
)
@click.option(
    "--max-active", default=0, type=COUNT, metavar="N", help="Rest while more sessions are at work than this."
)
@click.option("--critical-active", default=0, type=COUNT, metavar="N", help="Stand still above this.")
@click.option(
    "--max-wait", default=0.0, type=AMOUNT, metavar="S", help="Rest when SQLite's write lock took longer."
)
@click.option(
    "--max-slower",
    default=0.0,
    type=AMOUNT,
    metavar="X",
    help="Rest when rows take X times as long as at first.",
)
@json_option
def pace(group: str, *, as_json: bool, **limits: Any) -> None:
    """Set how fast GROUP's follower may go; without options, freely.

    Standbys and sessions are those of the monolith's database. 0 is no bound. `start` and `strangler sync`
    heed it from their next step on; `takeover status` says what slows them.
    """
    report = set_pace(_here().where(group), Pace(**limits))
    emit(report, as_json=as_json, human=lambda console: show.show_pace(console, report))


@click.command()
@click.argument("groups", nargs=-1)
def sync(groups: tuple[str, ...]) -> None:
    """Let every follower follow, until this is stopped.

    Of the GROUPS named, else of all. Part of `strangler up`. A second one waits for the first to end.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    now = _here()

    def told(group: str, text: str) -> None:
        click.echo(f"{group}: {text}")

    def synced(group: str, until: float, changed: float) -> None:
        tell_synced(now.place.control, group, until, changed)

    def pause(seconds: float) -> None:
        stop.wait(seconds)

    followers = [Follower(now.where(group), told, synced) for group in groups or now.routes.groups]
    following(followers, stop.is_set, pause)
