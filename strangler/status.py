"""Put together what is live where, now. Read-only, and works when everything is down."""

import time
import xmlrpc.client
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from proxy.routes import Owner, RouteTable, Stage, version_of
from strangler.errors import BrokenTable
from strangler.everywhere import MachineState, machine_states
from strangler.health import ask_health
from strangler.installation import Installation
from strangler.supervising import PartState, supervisor
from strangler.table_file import read_table, read_text
from strangler.workers import (
    Count,
    Counts,
    PathCount,
    RejectedTable,
    SeatCounts,
    Silent,
    WorkerStatus,
    seats_of,
    worker_statuses,
)

LAST_GOOD = "last-good.toml"  # where the proxy's workers keep the last sound text


@dataclass(frozen=True)
class FileState:
    """The routing table's file: its version, and what is wrong with it (empty when it is sound)."""

    path: str
    version: str
    fault: str


@dataclass(frozen=True)
class WorkerState:
    """One proxy worker: the version it serves, what it refused, its age in seconds, its connections."""

    pid: int
    version: str
    rejected: RejectedTable | None
    uptime: int
    connections: int
    shadow: Mapping[str, int]


@dataclass(frozen=True)
class RouteState:
    """One route as the proxy serves it, with what each target answered since the proxy started, and in the
    last minutes (`recent`, by the window's seconds).
    """

    name: str
    stage: Stage
    percent: float
    owner: Owner
    counts: Mapping[str, Count]
    recent: Mapping[int, Mapping[str, Count]]


@dataclass(frozen=True)
class UpstreamState:
    """One upstream and its answer to the health question; `fault` is empty when it is well.

    `breakers` is by route, "" for the upstream's own: in how many workers it is in which state.
    """

    name: str
    url: str
    fault: str
    breakers: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class GroupState:
    """One group: who owns it, and what all workers say of its writes and of its copy."""

    name: str
    owner: Owner
    held: bool
    parked: int
    lag: float | None
    suspended: bool


@dataclass(frozen=True)
class Status:
    """Everything about this installation at one moment. `running` is whether its supervisor is."""

    running: bool
    parts: tuple[PartState, ...]
    table: FileState
    workers: tuple[WorkerState, ...]
    machines: tuple[MachineState, ...]
    silent: tuple[Silent, ...]
    routes: tuple[RouteState, ...]
    unmatched: tuple[PathCount, ...]
    groups: tuple[GroupState, ...]
    upstreams: tuple[UpstreamState, ...]


def look(place: Installation) -> Status:
    """Return the status of an installation now; a health question waits at most two seconds."""
    running, parts = _parts(place)
    file, table = _table(place)
    replies = worker_statuses(place.control)
    seats = seats_of(replies.answers)
    now = time.time()
    return Status(
        running=running,
        parts=parts,
        table=file,
        workers=tuple(_worker(answer, now) for answer in replies.answers),
        machines=machine_states(place.machines),
        silent=replies.silent,
        routes=_routes(table, seats) if table else (),
        unmatched=most_unmatched(seats),
        groups=_groups(table, replies.answers) if table else (),
        upstreams=_upstreams(table, replies.answers) if table else (),
    )


def most_unmatched(seats: Iterable[WorkerStatus | SeatCounts]) -> tuple[PathCount, ...]:
    """Return what was asked for that no route names, summed over the workers, most frequent first. Pure."""
    totals: Counter[tuple[str, str]] = Counter()
    for seat in seats:
        for each in seat.unmatched:
            totals[each.method, each.path] += each.requests
    ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return tuple(PathCount(method, path, number) for (method, path), number in ranked)


def total_counts(workers: Iterable[Counts], route: str) -> Mapping[str, Count]:
    """Return a route's counts by target, summed over the workers. Pure."""
    requests: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for counts in workers:
        for target, count in counts.get(route, {}).items():
            requests[target] += count.requests
            errors[target] += count.errors
    return {target: Count(requests[target], errors[target]) for target in requests}


def breaker_states(answers: Iterable[WorkerStatus], upstream: str) -> Mapping[str, Mapping[str, int]]:
    """Return an upstream's breakers by route, each with the number of workers by state. Pure."""
    states: dict[str, Counter[str]] = {}
    for answer in answers:
        for breaker in answer.breakers:
            if breaker.upstream == upstream:
                states.setdefault(breaker.route, Counter())[breaker.state] += 1
    return states


def _parts(place: Installation) -> tuple[bool, tuple[PartState, ...]]:
    try:
        with supervisor(place) as running:
            return running is not None, running.parts() if running else ()
    except (OSError, xmlrpc.client.Error):
        return False, ()  # it stopped while it was asked


def _table(place: Installation) -> tuple[FileState, RouteTable | None]:
    """Return the file's state, and the table in force: the last good one while the file is not sound."""
    try:
        table = read_table(place.table).table
        return FileState(str(place.table), table.version, ""), table
    except BrokenTable as error:
        return FileState(str(place.table), _version(place), error.message), _last_good(place)


def _version(place: Installation) -> str:
    try:
        return version_of(read_text(place.table))
    except BrokenTable:
        return "unreadable"


def _last_good(place: Installation) -> RouteTable | None:
    try:
        return read_table(place.control / LAST_GOOD).table
    except BrokenTable:
        return None


def _worker(answer: WorkerStatus, now: float) -> WorkerState:
    return WorkerState(
        pid=answer.pid,
        version=answer.version,
        rejected=answer.rejected,
        uptime=max(0, int(now - answer.started)),
        connections=answer.connections,
        shadow=answer.shadow,
    )


def _routes(table: RouteTable, seats: tuple[WorkerStatus | SeatCounts, ...]) -> tuple[RouteState, ...]:
    return tuple(
        RouteState(
            name=route.name,
            stage=route.stage,
            percent=route.percent,
            owner=table.groups[route.group].owner,
            counts=total_counts([seat.counts for seat in seats], route.name),
            recent=_recent(seats, route.name),
        )
        for route in table.routes.values()
    )


def _groups(table: RouteTable, answers: tuple[WorkerStatus, ...]) -> tuple[GroupState, ...]:
    found = []
    for group in table.groups.values():
        states = [answer.groups[group.name] for answer in answers if group.name in answer.groups]
        lags = [state.lag for state in states if state.lag is not None]
        found.append(
            GroupState(
                name=group.name,
                owner=group.owner,
                held=any(state.held for state in states),
                parked=sum(state.parked for state in states),
                lag=max(lags, default=None),
                suspended=any(state.suspended for state in states),
            )
        )
    return tuple(found)


def _recent(seats: tuple[WorkerStatus | SeatCounts, ...], route: str) -> Mapping[int, Mapping[str, Count]]:
    windows = sorted({seconds for seat in seats for seconds in seat.recent})
    return {
        seconds: total_counts([seat.recent.get(seconds, {}) for seat in seats], route) for seconds in windows
    }


def _upstreams(table: RouteTable, answers: tuple[WorkerStatus, ...]) -> tuple[UpstreamState, ...]:
    return tuple(
        UpstreamState(
            name=upstream.name,
            url=upstream.url,
            fault=ask_health(upstream).fault,
            breakers=breaker_states(answers, upstream.name),
        )
        for upstream in table.upstreams.values()
    )
