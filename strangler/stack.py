"""Start and stop the whole stack on this machine. `up` leaves all parts answering, or none running."""

import contextlib
import os
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from strangler.errors import (
    AlreadyRunning,
    MigrationFailed,
    NoStackFile,
    PartFailed,
    PathTooLong,
    PortTaken,
    StillRunning,
)
from strangler.identity_keys import identity_environment
from strangler.installation import Installation
from strangler.locking import LockHeld, exclusive
from strangler.parts import Migration, Stack, lay_out, read_parts
from strangler.ports import holder_of, is_free
from strangler.questions import ask_part
from strangler.supervising import Supervisor, running_pid, supervisor
from strangler.table_file import read_table

LOOK_AGAIN_SECONDS = 0.05
LOG_LINES = 20
# sun_path of struct sockaddr_un, less its final NUL: 104 on macOS and the BSDs, 108 on Linux.
SOCKET_PATH_BYTES = 103


@dataclass(frozen=True)
class Started:
    """A stack of which every part has answered. `addresses` is HOST:PORT by part."""

    addresses: Mapping[str, str]
    seconds: float


@dataclass(frozen=True)
class Stopped:
    """A stack of which nothing runs any more; `pid` is None when nothing ran before."""

    pid: int | None


def up(place: Installation, environ: Mapping[str, str], *, who: str, seconds: float = 60.0) -> Started:
    """Start every part and wait until each answers. Leaves nothing running when one does not."""
    try:
        with exclusive(place.stack_lock, who):
            return _up(place, environ, seconds)
    except LockHeld as other:
        raise AlreadyRunning(
            f"the stack of {place.var} is being started by {other.holder}", next="strangler status"
        ) from None


def down(place: Installation, *, seconds: float = 60.0) -> Stopped:
    """Stop every part and wait until all are gone. Safe to run again. Raises StillRunning."""
    pid = running_pid(place)
    if pid is None:
        return Stopped(None)
    deadline = time.monotonic() + seconds
    try:
        with supervisor(place) as running:
            if running is not None:
                _stop_parts(running, deadline)
                running.shutdown()
    except (OSError, xmlrpc.client.Error):
        pass  # it is stopping already; that it does stop is what the wait is for
    if not _comes_true(lambda: running_pid(place) is None, deadline):
        raise StillRunning(
            f"the supervisor (pid {pid}) has not stopped within {seconds:g} s", next="strangler status"
        )
    return Stopped(pid)


def _stop_parts(running: Supervisor, deadline: float) -> None:
    """Stop the parts rank by rank; the supervisor by itself would stop one after the other."""
    for rank in running.ranks():
        for name in rank:
            running.tell_to_stop(name)
        _comes_true(partial(_all_ended, running, rank), deadline)


def _all_ended(running: Supervisor, names: tuple[str, ...]) -> bool:
    return not any(part.pid for part in running.parts() if part.name in names)


def _up(place: Installation, environ: Mapping[str, str], seconds: float) -> Started:
    began = time.monotonic()
    _refuse_second_stack(place)
    place.var.mkdir(parents=True, exist_ok=True)
    known = {**environ, **identity_environment(place.var, environ)}
    stack = lay_out(place, read_parts(place), read_table(place.table).table, known)
    _refuse_long_paths(place)
    _refuse_taken_ports(stack)
    for folder in (place.logs, place.control):
        folder.mkdir(parents=True, exist_ok=True)
    _migrate(place, stack)
    log_ends = {name: _size(_log(place, name)) for name in stack.parts.programs}
    try:
        _start_supervisor(place, stack)
        _wait_for_parts(place, stack, log_ends, began + seconds)
    except BaseException:
        down(place)
        raise
    return Started(stack.addresses, time.monotonic() - began)


def _refuse_second_stack(place: Installation) -> None:
    pid = running_pid(place)
    if pid is not None:
        raise AlreadyRunning(
            f"the stack of {place.var} runs already (supervisor pid {pid})",
            next="strangler status        (or strangler down)",
        )


def _refuse_long_paths(place: Installation) -> None:
    longest = place.control / f"worker-{2**22}.sock"  # Linux counts process ids up to 2^22
    if len(os.fsencode(longest)) > SOCKET_PATH_BYTES:
        raise PathTooLong(
            f"{longest} has {len(os.fsencode(longest))} bytes;"
            f" a socket's path has at most {SOCKET_PATH_BYTES}",
            next="export STRANGLER_VAR=/a/shorter/path",
        )


def _refuse_taken_ports(stack: Stack) -> None:
    for part, address in stack.addresses.items():
        if not is_free(address):
            raise PortTaken(
                f"{address}, where {part} must listen, is taken by {holder_of(address)}",
                next=f"stop that process, or give {part} another address",
            )


def _migrate(place: Installation, stack: Stack) -> None:
    """Bring every database to the schema of its code, all at once: no database knows of another."""
    with contextlib.ExitStack() as all_ended:
        running = [
            (each, all_ended.enter_context(_start_migration(place, stack, each)))
            for each in stack.parts.migrations
        ]
        said = [(each, process.communicate()[0], process.returncode) for each, process in running]
    for migration, text, code in said:
        if code:
            raise MigrationFailed(
                f"the migration of {migration.name} ended with exit code {code}:"
                f"\n{_indented(text.splitlines()[-LOG_LINES:])}",
                next="strangler doctor",
            )


def _start_migration(place: Installation, stack: Stack, migration: Migration) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - the command of the user's own stack file
        stack.words(migration.command),
        cwd=place.root,
        env=dict(stack.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _start_supervisor(place: Installation, stack: Stack) -> None:
    done = subprocess.run(  # noqa: S603 - a fixed command
        [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(place.stack_file)],
        cwd=place.root,
        env=dict(stack.environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoStackFile(
            f"the supervisor does not accept {place.stack_file}: {(done.stdout + done.stderr).strip()}",
            next=f"edit {place.stack_file}",
        )


def _wait_for_parts(place: Installation, stack: Stack, log_ends: Mapping[str, int], deadline: float) -> None:
    waiting = dict.fromkeys(stack.parts.programs, "it was not asked yet")

    def all_answer() -> bool:
        with supervisor(place) as running:
            if running is None:
                return False
            _refuse_failed_part(place, running, log_ends)
        for name in tuple(waiting):
            waiting[name] = ask_part(place, stack, name)
            if not waiting[name]:
                del waiting[name]
        return not waiting

    if not _comes_true(all_answer, deadline):
        name, fault = next(iter(waiting.items()))
        raise _part_failed(place, name, f"does not answer in time ({fault})", log_ends)


def _refuse_failed_part(place: Installation, running: Supervisor, log_ends: Mapping[str, int]) -> None:
    for part in running.parts():
        if part.failed:
            raise _part_failed(place, part.name, f"ended at once ({part.note})", log_ends)


def _part_failed(place: Installation, name: str, what: str, log_ends: Mapping[str, int]) -> PartFailed:
    log = _log(place, name)
    try:
        with log.open("rb") as stream:
            stream.seek(log_ends.get(name, 0))
            lines = stream.read().decode(errors="replace").splitlines()[-LOG_LINES:]
    except OSError:
        lines = []
    said = f"; its log ends\n{_indented(lines)}" if lines else "; its log is empty"
    return PartFailed(f"{name} {what}, and everything was stopped again{said}", next=f"less {log}")


def _comes_true(what: Callable[[], bool], deadline: float) -> bool:
    """Look again and again until it is true or the deadline (monotonic) has passed."""
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_AGAIN_SECONDS)
    return True


def _indented(lines: list[str]) -> str:
    return "\n".join(f"     | {line}" for line in lines)


def _log(place: Installation, name: str) -> Path:
    return place.logs / f"{name}.log"


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
