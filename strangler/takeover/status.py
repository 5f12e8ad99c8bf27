"""`takeover status`: who owns, who follows how far behind, and what is wrong. Read-only."""

from dataclasses import dataclass

from proxy.routes import Owner
from strangler.takeover.handover import Where, opened
from strangler.takeover.session import Takeover
from strangler.takeover.situation import State, situation


@dataclass(frozen=True, slots=True)
class TableStatus:
    """One table of the follower: rows copied of how many, log entries not yet applied, what is wrong."""

    table: str
    rows: int
    copied: int
    done: bool
    verified: bool
    behind: int
    dirty: str


@dataclass(frozen=True, slots=True)
class TakeoverStatus:
    """One takeover at one moment. `phase` is monolith before it was started, then capturing, then service."""

    group: str
    phase: str
    owner: Owner
    epoch: int
    state: State
    fenced: bool  # whether the follower refuses writes, as it must
    holder: str
    tables: tuple[TableStatus, ...] = ()

    @property
    def behind(self) -> int:
        """Changes that are logged and not applied."""
        return sum(table.behind for table in self.tables)


def status(where: Where) -> TakeoverStatus:
    """Return where a takeover stands. Raises Refused where a database does not open or nothing fits."""
    with opened(where) as takeover:
        if takeover.databases.ownership() is None:
            return TakeoverStatus(where.group, "monolith", Owner.MONOLITH, 0, State.OWNED, False, "nobody")
        now = situation(takeover)
        phase = "service" if now.owner is Owner.SERVICE else "capturing"
        if now.state is State.RETIRED:
            phase = "retired"
        flow = takeover.flow(now.owner)
        with flow.target.snapshot() as moment:
            fenced = moment.fence_epoch(flow.targets) is not None
        lease = flow.target.lease_of(takeover.name)
        holder = lease[1] if lease else "nobody"
        return TakeoverStatus(
            where.group, phase, now.owner, now.epoch, now.state, fenced, holder, _tables(takeover, now.owner)
        )


def _tables(takeover: Takeover, owner: Owner) -> tuple[TableStatus, ...]:
    flow = takeover.flow(owner)
    checkpoint = flow.checkpoint()
    if checkpoint is None:
        return ()
    with flow.source.snapshot() as moment:
        changes = moment.changes(flow.sources, checkpoint.position)
        missing = moment.missing_capture(flow.sources, flow.takeover)
        return tuple(
            TableStatus(
                table=pair.table,
                rows=moment.count(pair.source),
                copied=checkpoint.tables[pair.table].rows,
                done=checkpoint.tables[pair.table].done,
                verified=checkpoint.tables[pair.table].verified,
                behind=changes[pair.table].entries if pair.table in changes else 0,
                dirty=checkpoint.tables[pair.table].dirty or missing.get(pair.table, ""),
            )
            for pair in flow.pairs
        )
