"""`takeover status`: who owns, who follows how far behind, and what is wrong. Read-only."""

from dataclasses import dataclass

from proxy.routes import Owner
from strangler.takeover.archive import Retirement, archive_of, retirement_of
from strangler.takeover.fitness import fit_takeover
from strangler.takeover.handover import Where, opened_databases
from strangler.takeover.pacing import why_slow
from strangler.takeover.refused import refused
from strangler.takeover.session import Databases, Takeover
from strangler.takeover.situation import State, situation
from strangler.takeover.state import Note


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
    slow: str = ""  # what the follower's pace is bounded by just now, as it said last
    refused: str = ""  # why the follower stands still: which rows its database does not take
    kept: tuple[str, ...] = ()  # once retired: what there is of the monolith's tables, by the names they have

    @property
    def behind(self) -> int:
        """Changes that are logged and not applied."""
        return sum(table.behind for table in self.tables)


def status(where: Where) -> TakeoverStatus:
    """Return where a takeover stands. Raises Refused where a database does not open or nothing fits."""
    with opened_databases(where) as databases:
        retired = retirement_of(databases.service.read_note(where.group, Note.RETIRED))
        if retired is not None:
            return _retired(databases, retired)
        takeover = fit_takeover(databases, where.mappings)
        if databases.ownership() is None:
            return TakeoverStatus(where.group, "monolith", Owner.MONOLITH, 0, State.OWNED, False, "nobody")
        now = situation(takeover)
        phase = "service" if now.owner is Owner.SERVICE else "capturing"
        flow = takeover.flow(now.owner)
        with flow.target.snapshot() as moment:
            fenced = moment.fence_epoch(flow.targets) is not None
        lease = flow.target.lease_of(takeover.name)
        holder = lease[1] if lease else "nobody"
        return TakeoverStatus(
            where.group,
            phase,
            now.owner,
            now.epoch,
            now.state,
            fenced,
            holder,
            _tables(takeover, now.owner),
            why_slow(databases),
            refused(databases),
        )


def _retired(databases: Databases, retired: Retirement) -> TakeoverStatus:
    name = databases.group.name
    archive = archive_of(databases.monolith.read_note(name, Note.ARCHIVE))
    kept = tuple(
        retired.names[table] if table in archive.renamed else table
        for table in retired.names
        if table not in archive.dropped
    )
    shapes = [shape for table in kept if (shape := databases.monolith.shape(table)) is not None]
    with databases.monolith.snapshot() as moment:
        fenced = not shapes or moment.fence_epoch(shapes) is not None
    epoch = databases.started().epoch
    return TakeoverStatus(name, "retired", Owner.SERVICE, epoch, State.RETIRED, fenced, "nobody", kept=kept)


def _tables(takeover: Takeover, owner: Owner) -> tuple[TableStatus, ...]:
    flow = takeover.flow(owner)
    checkpoint = flow.checkpoint()
    if checkpoint is None:
        return ()
    with flow.source.snapshot() as moment:
        changes = flow.changes(moment, checkpoint.position)
        missing = flow.missing_capture(moment)
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
