"""`takeover verify`: prove that the follower holds what the owner holds, while writes go on.

The follower is brought to one moment of the owner's, and both are read as they were then. What is found equal
stays so: what changes later is in the log. Killed, it goes on behind the last rows that it said were equal
(`again` reads all of them).
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from proxy.routes import Owner, RouteTable
from strangler.errors import CoordinatorBusy, NotVerified
from strangler.takeover.comparing import Compared, Stride, compare
from strangler.takeover.engines import Snapshot
from strangler.takeover.fitness import fit_takeover
from strangler.takeover.flow import Flow, step, step_to
from strangler.takeover.mapping import Mapping as TableMappings
from strangler.takeover.rechecking import begin_comparing
from strangler.takeover.session import Takeover, find_group, open_databases
from strangler.takeover.shape import Pair
from strangler.takeover.state import Checkpoint, Key, Lease, Note, decode, encode


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `takeover verify` read and found. `skipped` were found equal before, and are still."""

    group: str
    owner: Owner
    tables: tuple[Compared, ...]
    skipped: tuple[str, ...]
    seconds: float

    @property
    def rows(self) -> int:
        """The rows that were read."""
        return sum(table.rows for table in self.tables)

    @property
    def differing(self) -> int:
        """The rows that are not the same."""
        return sum(table.differing for table in self.tables)

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds if self.seconds else 0.0


def verify(
    routes: RouteTable,
    name: str,
    environ: Mapping[str, str],
    var: Path,
    *,
    mappings: TableMappings | None = None,
    again: bool = False,
    stride: Stride | None = None,
    told: Callable[[str, int], None] = lambda _table, _rows: None,
    clock: Callable[[], float] = time.perf_counter,
) -> VerifyReport:
    """Compare every table of group `name`. Raises Refused where there is nothing to compare."""
    with open_databases(find_group(routes, name), environ, var) as databases:
        takeover = fit_takeover(databases, mappings or TableMappings())
        owner = databases.started().owner
        flow = takeover.flow(owner)
        before = _checkpoint(flow)
        wanted = [pair for pair in flow.pairs if again or not before.tables[pair.table].verified]
        skipped = tuple(pair.table for pair in flow.pairs if pair not in wanted)
        started = clock()
        with ExitStack() as moments:
            source, copy, begun = _same_moment(takeover, flow, {pair.table for pair in wanted}, moments)
            verification = _Verification(takeover, flow, (source, copy), begun, stride or Stride(), again)
            tables = tuple(verification.of(pair, told) for pair in wanted)
        return VerifyReport(name, owner, tables, skipped, clock() - started)


def _same_moment(
    takeover: Takeover, flow: Flow, wanted: set[str], moments: ExitStack
) -> tuple[Snapshot, Snapshot, Checkpoint]:
    """Return both databases as they were when the follower had just come to the owner's state."""
    takeover.databases.coordinate()
    lease = _lease(takeover, flow)
    while not step(flow, lease).checkpoint.complete:
        pass
    source = moments.enter_context(flow.source.snapshot())
    checkpoint = step_to(flow, lease, source).checkpoint
    begin_comparing(flow, lease, checkpoint, wanted)
    copy = moments.enter_context(flow.target.snapshot())
    takeover.databases.give_up()
    return source, copy, checkpoint


@dataclass(frozen=True, slots=True)
class _Verification:
    """One moment of both databases, and what the follower's checkpoint said when it had come to it."""

    takeover: Takeover
    flow: Flow
    moments: tuple[Snapshot, Snapshot]
    begun: Checkpoint
    stride: Stride
    again: bool

    def of(self, pair: Pair, told: Callable[[str, int], None]) -> Compared:
        """Compare one table, and keep in the checkpoint what was found, as it is found."""
        found = compare(
            self.flow,
            pair,
            self.moments,
            after=None if self.again else self.begun.tables[pair.table].checked,
            stride=self.stride,
            told=lambda rows: told(pair.table, rows),
            equal_to=lambda key: self._say_so_far(pair.table, key),
        )
        self.takeover.databases.coordinate()
        self._remember(pair.table, verified=not found.differing, checked=None)
        self.takeover.databases.give_up()
        return found

    def _say_so_far(self, table: str, key: Key) -> None:
        """Remember how far all was equal, unless somebody else is at work: then it is said the next time."""
        try:
            self.takeover.databases.coordinate()
        except CoordinatorBusy:
            return
        self._remember(table, verified=None, checked=key)
        self.takeover.databases.give_up()

    def _remember(self, table: str, *, verified: bool | None, checked: Key | None) -> None:
        """Change the table's state, unless it was begun anew meanwhile. `verified` None: as it was.

        What was found holds only where what changed meanwhile was compared too, or still can be.
        """
        with self.flow.target.transaction(_lease(self.takeover, self.flow)) as into:
            known = decode(into.checkpoint() or "", Checkpoint)
            state = known.tables[table]
            if state.begun == self.begun.tables[table].begun:
                said = state.verified if verified is None else verified
                whole = bool(state.compared)
                now = msgspec.structs.replace(
                    state, verified=said and whole, checked=checked if whole else None
                )
                into.keep(Note.CHECKPOINT, encode(Checkpoint(known.position, {**known.tables, table: now})))


def _lease(takeover: Takeover, flow: Flow) -> Lease:
    leases = takeover.databases.take_leases()
    return leases.monolith if flow.target is takeover.databases.monolith else leases.service


def _checkpoint(flow: Flow) -> Checkpoint:
    known = flow.checkpoint()
    if known is None:
        raise NotVerified(
            f"the database that follows holds no copy of {flow.takeover!r} yet; wanted one to verify",
            next=f"strangler takeover resume {flow.takeover}",
        )
    return known
