"""Ask every live proxy worker one question over its control socket, and hear all of them.

A worker listens on `<control>/worker-<pid>.sock`; a socket without a listener is left over from a dead one.
"""

import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from proxy.change import TableChange

T = TypeVar("T")

MAX_CHANGE = 512 * 1024  # bytes; a worker has read the file by the time it has taken a larger one


class RejectedTable(msgspec.Struct, frozen=True):
    """A version of the file that a worker does not serve, and why."""

    version: str
    reason: str


class Applied(msgspec.Struct, frozen=True):
    """A worker's answer to `apply`: what it serves after having read the file."""

    pid: int
    version: str
    rejected: RejectedTable | None


class Count(msgspec.Struct, frozen=True):
    """Requests of one route that one target answered, since the proxy started or in a window."""

    requests: int
    errors: int


class BreakerState(msgspec.Struct, frozen=True):
    """One breaker of a worker: `closed`, `open` or `half-open`. `route` is empty for an upstream's own."""

    upstream: str
    state: str
    route: str = ""


class GroupState(msgspec.Struct, frozen=True):
    """A group in one worker. `lag` is its copy's, in seconds, None where nobody ever told.

    `copied`: the copy has all that was committed before the first Unix second, and changed last at the other.
    `held`: its writes wait, `parked` of them. `suspended`: its copy lags too far to be read.
    """

    held: bool
    parked: int
    lag: float | None
    suspended: bool
    copied: tuple[float, float] | None = None


class PathCount(msgspec.Struct, frozen=True):
    """Requests for paths of one template that no route names."""

    method: str
    path: str
    requests: int


Counts = Mapping[str, Mapping[str, Count]]  # by route, then by target


class SeatCounts(msgspec.Struct, frozen=True):
    """What workers counted in one place among the counts; `recent` is by a window's seconds."""

    counts: Counts
    recent: Mapping[int, Counts] = {}
    unmatched: tuple[PathCount, ...] = ()


class WorkerStatus(msgspec.Struct, frozen=True):
    """A worker's answer to `status`. `started` is in Unix seconds.

    The counts are those of its `seat`, which also hold those of the workers it replaced; `left` has those of
    seats that nobody holds, by number.
    """

    pid: int
    version: str
    rejected: RejectedTable | None
    started: float
    connections: int
    counts: Counts
    shadow: Mapping[str, int]
    breakers: tuple[BreakerState, ...] = ()
    recent: Mapping[int, Counts] = {}
    unmatched: tuple[PathCount, ...] = ()
    groups: Mapping[str, GroupState] = {}
    seat: int | None = None
    left: Mapping[int, SeatCounts] = {}


@dataclass(frozen=True)
class Silent:
    """A worker that listens and gave no proper answer."""

    pid: int
    why: str


@dataclass(frozen=True)
class Replies(Generic[T]):
    """What all live workers said, and how long it took to hear them."""

    answers: tuple[T, ...]
    silent: tuple[Silent, ...]
    seconds: float


def apply_table(control: Path, change: TableChange | None = None, seconds: float = 2.0) -> Replies[Applied]:
    """Tell every live worker to serve the table's file from now on, and wait until each has answered.

    A worker that serves the base of `change` need not read the file, which must hold what the change makes.
    """
    question: dict[str, object] = {"verb": "apply"}
    told = msgspec.to_builtins(change) if change is not None else None
    if told is not None and len(msgspec.json.encode(told)) <= MAX_CHANGE:
        question["change"] = told
    return ask_all(control, question, Applied, seconds)


def served_versions(control: Path, seconds: float = 2.0) -> Replies[Applied]:
    """Ask every live worker what it serves. Read-only: none loads anything."""
    return ask_all(control, {"verb": "version"}, Applied, seconds)


def worker_statuses(control: Path, seconds: float = 2.0) -> Replies[WorkerStatus]:
    """Ask every live worker what it serves and what it counted. Read-only."""
    return ask_all(control, {"verb": "status"}, WorkerStatus, seconds)


def seats_of(answers: Iterable[WorkerStatus]) -> tuple[WorkerStatus | SeatCounts, ...]:
    """Return all that was counted, once: in each worker's seat, and in those nobody holds. Pure."""
    held = tuple(answers)
    taken = {answer.seat for answer in held}
    left = {number: seat for answer in held for number, seat in answer.left.items() if number not in taken}
    return (*held, *left.values())


def stale_sockets(control: Path) -> tuple[Path, ...]:
    """Return the control sockets that no worker listens on."""
    return tuple(path for _, path in _sockets(control) if not _listens(path))


def ask_all(control: Path, question: Mapping[str, object], answer: type[T], seconds: float) -> Replies[T]:
    """Ask every live worker a question and hear each answer, or why there is none."""
    started = time.perf_counter()
    deadline = time.monotonic() + seconds
    line = msgspec.json.encode(question) + b"\n"
    answers: list[T] = []
    silent: list[Silent] = []
    with ExitStack() as open_sockets:
        # All are asked before the first is heard: together they take as long as the slowest, not as the sum.
        asked = [
            (pid, open_sockets.enter_context(connection))
            for pid, path in _sockets(control)
            if (connection := _connect(path)) is not None
        ]
        for _, connection in asked:
            _send(connection, line, deadline)
        for pid, connection in asked:
            try:
                answers.append(msgspec.json.decode(_hear(connection, deadline), type=answer))
            except (OSError, msgspec.DecodeError) as error:
                silent.append(Silent(pid, _why(error, seconds)))
    return Replies(tuple(answers), tuple(silent), time.perf_counter() - started)


def _sockets(control: Path) -> Iterator[tuple[int, Path]]:
    for path in sorted(control.glob("worker-*.sock")):
        pid = path.stem.removeprefix("worker-")
        if pid.isdigit():
            yield int(pid), path


def _connect(path: Path) -> socket.socket | None:
    """Return a connection to a worker, None when nobody listens there any more."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except (ConnectionRefusedError, FileNotFoundError):
        connection.close()
        return None
    return connection


def _listens(path: Path) -> bool:
    connection = _connect(path)
    if connection is not None:
        connection.close()
    return connection is not None


def _send(connection: socket.socket, line: bytes, deadline: float) -> None:
    connection.settimeout(max(0.001, deadline - time.monotonic()))
    try:
        connection.sendall(line)
    except OSError:
        return  # it is heard next, and found silent there


def _hear(connection: socket.socket, deadline: float) -> bytes:
    heard = b""
    while not heard.endswith(b"\n"):
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        part = connection.recv(65536)
        if not part:
            raise ConnectionResetError("it closed the connection without an answer")
        heard += part
    return heard


def _why(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {seconds:g} s"
    if isinstance(error, msgspec.DecodeError):
        return f"an answer that is none: {error}"
    return str(error)
