"""`takeover start`: copy a group's tables to the service's database and let that follow the monolith's.

The monolith's writers go on. Killed at any point, the same command goes on from there; run again when it is
done, it only catches up. Without `execute` everything is checked and counted and nothing is written.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from proxy.routes import Owner, RouteTable
from strangler.errors import AlreadyOwner, TargetRefusedRows
from strangler.takeover.engines import Transaction
from strangler.takeover.fitness import fit_takeover
from strangler.takeover.flow import Flow, Stepped, drifted, nothing_copied, step
from strangler.takeover.mapping import Mapping as TableMappings
from strangler.takeover.pacing import Pacer
from strangler.takeover.patience import Patience
from strangler.takeover.session import (
    DRIVER_FAULTS,
    Databases,
    Leases,
    Takeover,
    find_group,
    open_databases,
)
from strangler.takeover.state import Checkpoint, Note, Outcome, OwnerRow, begun_anew, decode, encode

FIRST_EPOCH = 1


@dataclass(frozen=True, slots=True)
class TableCopy:
    """One table: the rows of the monolith's, and how many rows that were there before were replaced."""

    table: str
    rows: int
    replaced: int


@dataclass(frozen=True, slots=True)
class StartReport:
    """What `takeover start` did, or would do. `copied` counts the rows that went over in this run."""

    group: str
    source: str
    target: str
    executed: bool
    tables: tuple[TableCopy, ...]
    copied: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.copied / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of each step that was kept, and of what slows them; and how to pass the time in between."""

    told: Callable[[Stepped], None] = lambda _: None
    slowed: Callable[[str], None] = lambda _: None
    pause: Callable[[float], None] = time.sleep


def start(
    routes: RouteTable,
    name: str,
    environ: Mapping[str, str],
    var: Path,
    *,
    execute: bool,
    mappings: TableMappings | None = None,
    patience: Patience | None = None,
    listener: Listener | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> StartReport:
    """Copy and follow the tables of group `name`, or say what would be copied. Raises Refused.

    One transaction a step. Safe to run again.
    """
    group = find_group(routes, name)
    with open_databases(group, environ, var) as databases:
        takeover = fit_takeover(databases, mappings or TableMappings())
        _require_monolith(databases)
        if not execute:
            return _report(takeover, _counted(takeover, _replaced(takeover)), executed=False)
        databases.coordinate()
        replaced = _replaced(takeover)
        begin(takeover, patience or Patience())
        started = clock()
        copied = _follow(takeover, databases.take_leases(), listener or Listener(), clock)
        tables = _counted(takeover, replaced)
        return _report(takeover, tables, executed=True, copied=copied, seconds=clock() - started)


def begin(takeover: Takeover, patience: Patience) -> None:
    """Fence and empty the service's tables, start the capture, and set the first checkpoint. Idempotent.

    Begun already, it only repairs: tables whose changes were not captured are copied anew.
    """
    for store in (takeover.databases.monolith, takeover.databases.service):
        store.prepare(takeover.name)
    leases = takeover.databases.take_leases()
    if takeover.databases.ownership() is None:
        _prepare_target(takeover, leases, patience)
        _capture(takeover.flow(Owner.MONOLITH), leases, patience)
        _set_out(takeover.flow(Owner.MONOLITH), leases)
    else:
        _repair(takeover, leases, patience)


def _require_monolith(databases: Databases) -> None:
    known = databases.ownership()
    if databases.group.owner is Owner.SERVICE or (known is not None and known.owner is Owner.SERVICE):
        raise AlreadyOwner(
            f"group {databases.group.name!r} is owned by its service; a copy from the monolith"
            " would overwrite"
            " newer rows, wanted owner 'monolith'",
            next=f"strangler takeover status {databases.group.name}",
        )


def _prepare_target(takeover: Takeover, leases: Leases, patience: Patience) -> None:
    flow = takeover.flow(Owner.MONOLITH)

    def prepare(wait: float) -> None:
        with flow.target.transaction(leases.service, wait=wait) as into:
            into.lock_out_writers(flow.targets)
            into.fence(flow.targets, flow.takeover, FIRST_EPOCH)
            _empty(into, flow)

    patience.insist(flow.takeover, prepare)


def _empty(into: Transaction, flow: Flow) -> None:
    into.loosen(flow.targets)
    for shape in reversed(flow.targets):
        into.empty(shape)


def _capture(flow: Flow, leases: Leases, patience: Patience) -> None:
    def capture(wait: float) -> None:
        with flow.source.transaction(leases.monolith, wait=wait) as into:
            into.lock_out_writers(flow.sources)
            into.start_capture(flow.sources, flow.takeover)

    patience.insist(flow.takeover, capture)


def _set_out(flow: Flow, leases: Leases) -> None:
    """Decide epoch 1. What was logged before the position is older than every row that will be copied."""
    with flow.source.snapshot() as moment:
        position = moment.position
    with flow.target.transaction(leases.service) as into:
        into.keep(Note.CHECKPOINT, encode(nothing_copied(flow, position)))
        into.decide(OwnerRow(FIRST_EPOCH, Owner.MONOLITH, Outcome.COMMITTED, position), "start")


def _repair(takeover: Takeover, leases: Leases, patience: Patience) -> None:
    flow = takeover.flow(Owner.MONOLITH)
    with flow.source.snapshot() as moment:
        missing = flow.missing_capture(moment)
    checkpoint = flow.checkpoint()
    broken = set(missing)
    if checkpoint is not None:
        broken |= checkpoint.dirty.keys() | drifted(flow, checkpoint).keys()
    if not broken:
        return
    _capture(flow, leases, patience)
    with flow.target.transaction(leases.service) as into:
        known = decode(into.checkpoint() or "", Checkpoint)
        into.loosen(flow.targets)
        for pair in reversed(flow.pairs):
            for shape in reversed(pair.target.tables if pair.table in broken else ()):
                into.empty(shape)
        schemas = {pair.table: pair.schema for pair in flow.pairs}
        tables = {
            name: begun_anew(state, schemas[name]) if name in broken else state
            for name, state in known.tables.items()
        }
        into.keep(Note.CHECKPOINT, encode(Checkpoint(known.position, tables)))


def _follow(takeover: Takeover, leases: Leases, listener: Listener, clock: Callable[[], float]) -> int:
    flow, pacer = takeover.flow(Owner.MONOLITH), Pacer(takeover.databases)
    copied, complete = 0, False
    with _telling_rows_refused(takeover.databases.service_at):
        while not complete:
            chosen = pacer.next_gait(flow)
            listener.slowed(chosen.because)
            if chosen.still:
                listener.pause(chosen.rest)
                continue
            began = clock()
            done = step(flow, leases.service)
            copied += done.copied
            complete = done.checkpoint.complete
            listener.told(done)
            rest = pacer.rest_after(chosen, done, clock() - began)
            if rest and not complete:
                listener.pause(rest)
    return copied


def _replaced(takeover: Takeover) -> dict[str, int]:
    """Count what would be emptied: nothing where the copy was begun already."""
    if takeover.databases.ownership() is not None:
        return {}
    with takeover.databases.service.snapshot() as there:
        return {pair.table: there.count(pair.target) for pair in takeover.pairs}


def _counted(takeover: Takeover, replaced: Mapping[str, int]) -> tuple[TableCopy, ...]:
    with takeover.databases.monolith.snapshot() as moment:
        return tuple(
            TableCopy(pair.table, moment.count(pair.source), replaced.get(pair.table, 0))
            for pair in takeover.pairs
        )


def _report(
    takeover: Takeover,
    tables: tuple[TableCopy, ...],
    *,
    executed: bool,
    copied: int = 0,
    seconds: float = 0.0,
) -> StartReport:
    at = takeover.databases
    return StartReport(takeover.name, at.monolith_at, at.service_at, executed, tables, copied, seconds)


@contextmanager
def _telling_rows_refused(shown: str) -> Iterator[None]:
    try:
        yield
    except DRIVER_FAULTS as fault:
        raise TargetRefusedRows(
            f"the copy to {shown} stopped; the step that failed was undone: {str(fault).strip()}",
            next="remove what it names, then run the same command again",
        ) from None
