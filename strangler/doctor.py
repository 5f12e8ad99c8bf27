"""Examine this installation: each question on its own, so that one fault hides no other. Read-only."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from proxy.routes import RouteTable, version_of
from strangler.audit import Audit, Outcome
from strangler.errors import StranglerError
from strangler.everywhere import machine_states
from strangler.installation import Installation
from strangler.parts import Migration, Stack, lay_out, read_parts
from strangler.pins import differing_pins
from strangler.ports import holder_of, is_free
from strangler.supervising import running_pid, supervisor
from strangler.table_file import read_table, read_text
from strangler.takeover.refused import refused
from strangler.takeover.session import open_databases
from strangler.workers import stale_sockets, worker_statuses

OLDEST_PYTHON = (3, 11)
LITTLE_SPACE_BYTES = 200 * 1024 * 1024


@dataclass(frozen=True)
class Finding:
    """The answer to one question; `next` is empty when nothing is wrong."""

    subject: str
    found: str
    next: str = ""

    @property
    def well(self) -> bool:
        """Whether there is nothing to do."""
        return not self.next


def examine(place: Installation, environ: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return one finding for each question about the installation."""
    return tuple(_findings(place, environ))


def _findings(place: Installation, environ: Mapping[str, str]) -> Iterator[Finding]:
    yield _python()
    yield _pins(place)
    yield _space(place)
    yield _audit(place)
    try:
        stack = lay_out(place, read_parts(place), read_table(place.table).table, environ)
    except StranglerError as error:
        yield Finding("table", error.message, error.next)
    else:
        yield Finding("table", f"version {stack.table.version} is sound")
        yield _ports(place, stack)
        for migration in stack.parts.migrations:
            yield _database(place, stack, migration)
        yield from followers(stack.table, stack.environment, place.var)
    yield _parts(place)
    yield _workers(place)
    yield _sockets(place)
    yield from _machines(place)


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", f"{found}; 3.11 or newer is wanted", "make setup PYTHON=python3.11")
    return Finding("python", found)


def _pins(place: Installation) -> Finding:
    file = place.root / "requirements.txt"
    if not file.is_file():
        return Finding("packages", f"{file} is not there; nothing to compare with")
    differing = differing_pins(file.read_text())
    if differing:
        return Finding("packages", "; ".join(differing), f"{sys.executable} -m pip install -r {file}")
    return Finding("packages", "as pinned")


def _space(place: Installation) -> Finding:
    where = place.var if place.var.exists() else place.root
    free = shutil.disk_usage(where).free
    if free < LITTLE_SPACE_BYTES:
        return Finding("disk", f"{free // 2**20} MiB free at {where}", f"du -sh {where}/*")
    return Finding("disk", f"{free // 2**20:,} MiB free")


def _audit(place: Installation) -> Finding:
    try:
        chain = Audit(place.audit).read()
    except StranglerError as error:
        return Finding("audit", error.message, f"ls -l {place.audit}")
    if chain.faults:
        lines = ", ".join(str(fault.number) for fault in chain.faults)
        return Finding("audit", f"not as it was written at line {lines}", "strangler history")
    changes = tuple(chain.changes)
    if (
        changes
        and (last := chain.outcome_of(changes[-1]))
        and last.outcome is Outcome.APPLIED
        and last.silent
    ):
        return Finding("audit", "the last change was not acknowledged by every worker", "strangler status")
    return Finding("audit", f"whole, {len(changes)} changes")


def _ports(place: Installation, stack: Stack) -> Finding:
    if running_pid(place) is not None:
        return Finding("ports", "held by the running stack")
    taken = [f"{at} ({part}) by {holder_of(at)}" for part, at in stack.addresses.items() if not is_free(at)]
    if taken:
        return Finding(
            "ports", "taken: " + "; ".join(taken), "stop that process, or give the part another address"
        )
    return Finding("ports", "free")


def _database(place: Installation, stack: Stack, migration: Migration) -> Finding:
    subject = f"database {migration.name}"
    if not migration.check:
        return Finding(subject, f"[migration:{migration.name}] has no check; nothing was asked")
    done = subprocess.run(  # noqa: S603 - the command of the user's own stack file
        stack.words(migration.check),
        cwd=place.root,
        env=dict(stack.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stdout.strip().splitlines()
        return Finding(
            subject, said[-1] if said else "not at the newest schema", "strangler up        (migrates)"
        )
    return Finding(subject, "reachable, at the newest schema")


def followers(table: RouteTable, environ: Mapping[str, str], var: Path) -> Iterator[Finding]:
    """Yield whether each follower takes what the owner writes; nothing where no takeover was started."""
    for group in table.groups.values():
        try:
            with open_databases(group, environ, var) as databases:
                started, why = databases.ownership() is not None, refused(databases)
        except StranglerError:
            continue  # a database that does not answer is another finding
        if started:
            next_step = f"strangler takeover status {group.name}" if why else ""
            yield Finding(f"takeover {group.name}", why or "its follower takes every row", next_step)


def _parts(place: Installation) -> Finding:
    try:
        with supervisor(place) as running:
            parts = running.parts() if running else None
    except OSError as error:
        return Finding("parts", f"the supervisor does not answer: {error}", "strangler down")
    if parts is None:
        return Finding("parts", "not running")
    failed = [f"{part.name} is {part.state.lower()} ({part.note})" for part in parts if part.failed]
    if failed:
        return Finding("parts", "; ".join(failed), f"less {place.logs}/{failed[0].split()[0]}.log")
    return Finding("parts", f"{len(parts)} running")


def _workers(place: Installation) -> Finding:
    replies = worker_statuses(place.control)
    if replies.silent:
        pids = ", ".join(str(silent.pid) for silent in replies.silent)
        return Finding("workers", f"no answer from {pids}", "strangler status")
    rejected = [answer for answer in replies.answers if answer.rejected]
    if rejected:
        return Finding("workers", f"{len(rejected)} have rejected the table on disk", "strangler status")
    versions = sorted({answer.version for answer in replies.answers})
    if len(versions) > 1:
        return Finding("workers", f"serve different versions: {', '.join(versions)}", "strangler status")
    if not versions:
        return Finding("workers", "none running")
    return Finding("workers", f"{len(replies.answers)} serve version {versions[0]}")


def _machines(place: Installation) -> Iterator[Finding]:
    """Yield a finding for every other machine, against the version of this machine's file."""
    try:
        version = version_of(read_text(place.table)) if place.machines.all else ""
    except StranglerError:
        version = ""  # said above; then no machine can serve it
    for state in machine_states(place.machines):
        subject = f"machine {state.name}"
        if state.serves(version):
            yield Finding(subject, f"{state.workers} serve version {version}")
        else:
            yield Finding(subject, state.in_words(), "strangler apply        (once it answers)")


def _sockets(place: Installation) -> Finding:
    stale = stale_sockets(place.control)
    if stale:
        names = " ".join(str(path) for path in stale)
        return Finding("sockets", f"{len(stale)} left by dead workers (harmless)", f"rm {names}")
    return Finding("sockets", "none left behind")
