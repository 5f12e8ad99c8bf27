"""Let one database follow another, one step at a time. Each step leaves it exactly as the other was once.

A step takes one moment of the source: the keys logged since the checkpoint, their rows, and perhaps one more
chunk, all as they are at that moment. One transaction on the target replaces those rows and moves the
checkpoint. So order never matters, and a step that is killed never was.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from strangler.takeover.carrying import Carrier
from strangler.takeover.engines import UNCHANGED, Changes, LeaseLost, Snapshot, Store, Transaction
from strangler.takeover.shape import Pair, Shape
from strangler.takeover.state import (
    Checkpoint,
    Key,
    Lease,
    Note,
    TableState,
    begun_anew,
    decode,
    encode,
    unverified,
)

CHUNK_BYTES = 32 * 1024 * 1024  # a chunk is about this long, whatever its rows are
CHUNK_ROWS = 100_000  # and never of more rows than this, which is also what is tried where nothing is known
OTHER_COLUMNS = "its columns are no longer those that were copied"


@dataclass(frozen=True, slots=True)
class Flow:
    """The way of a table set from the database that is written to the one that follows."""

    takeover: str
    source: Store
    target: Store
    pairs: tuple[Pair, ...]
    carrier: Carrier
    chunk_bytes: int = CHUNK_BYTES
    chunk_rows: int = CHUNK_ROWS

    @property
    def sources(self) -> list[Shape]:
        """The tables as the source has them."""
        return [shape for pair in self.pairs for shape in pair.source.tables]

    @property
    def targets(self) -> list[Shape]:
        """The tables as the target has them."""
        return [shape for pair in self.pairs for shape in pair.target.tables]

    def checkpoint(self) -> Checkpoint | None:
        """Return how far the target has come, None before it was prepared. Read-only."""
        text = self.target.read_note(self.takeover, Note.CHECKPOINT)
        return decode(text, Checkpoint) if text else None

    def changes(self, moment: Snapshot, since: str) -> dict[str, Changes]:
        """Return what was logged after `since`, for each pair that has anything."""
        logged = moment.changes(self.sources, since)
        found = {pair.table: changes_of(pair, logged) for pair in self.pairs}
        return {name: changes for name, changes in found.items() if changes.entries}

    def missing_capture(self, moment: Snapshot) -> dict[str, str]:
        """Return the pairs whose capture is not whole, each with what is missing."""
        return self._by_pair(moment.missing_capture(self.sources, self.takeover))

    def altered(self, moment: Snapshot) -> dict[str, str]:
        """Return the pairs whose columns are others at this moment than this process knows."""
        now = moment.described(self.sources)
        return self._by_pair(
            {shape.table: OTHER_COLUMNS for shape in self.sources if now[shape.table] != shape.described}
        )

    def _by_pair(self, found: Mapping[str, str]) -> dict[str, str]:
        """Return what was found of tables by the pairs that they belong to."""
        said: dict[str, list[str]] = {}
        for pair in self.pairs:
            for shape in pair.source.tables:
                if shape.table in found:
                    whose = "" if shape.table == pair.table else f"{shape.table}: "
                    said.setdefault(pair.table, []).append(whose + found[shape.table])
        return {name: "; ".join(texts) for name, texts in said.items()}


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one step did: rows copied that were new to the target, keys that had changed."""

    checkpoint: Checkpoint
    copied: int = 0
    changed: int = 0
    table: str = ""  # whose chunk it was

    @property
    def settled(self) -> bool:
        """Whether there was nothing to do, and nothing is left to copy."""
        return not (self.copied or self.changed) and self.checkpoint.complete


def step(flow: Flow, lease: Lease, *, durable: bool = True) -> Stepped:
    """Take the target one step further. Raises LeaseLost where another has taken over."""
    with flow.source.snapshot() as moment:
        return step_to(flow, lease, moment, durable=durable)


def step_to(flow: Flow, lease: Lease, moment: Snapshot, *, durable: bool = True) -> Stepped:
    """Bring what the target has copied to the state of `moment`, and copy one more chunk of it."""
    known = flow.checkpoint()
    if known is None:
        raise LeaseLost(flow.takeover)
    missing = {
        **flow.altered(moment),
        **drifted(flow, known),
        **flow.missing_capture(moment),
    }
    changes = flow.changes(moment, known.position)
    if known.complete and not changes and missing.keys() <= known.dirty.keys():
        return Stepped(known)
    with flow.target.transaction(lease, durable=durable, loose=not known.complete) as into:
        text = into.checkpoint()
        if text != encode(known):
            raise LeaseLost(flow.takeover)
        stepped = _Step(flow, moment, into).taken(known, changes, missing)
        into.keep(Note.CHECKPOINT, encode(stepped.checkpoint))
        if stepped.checkpoint.complete and not known.complete:
            into.tighten(flow.targets)
    return stepped


@dataclass(frozen=True, slots=True)
class _Step:
    """One moment of the source and one transaction of the target."""

    flow: Flow
    moment: Snapshot
    into: Transaction

    def taken(self, known: Checkpoint, changes: Mapping[str, Changes], missing: Mapping[str, str]) -> Stepped:
        """Do all of the step; return the checkpoint that is true then."""
        tables = {
            name: _doubted(state, missing[name]) if name in missing else state
            for name, state in known.tables.items()
        }
        if any(change.emptied for change in changes.values()):
            self.into.loosen(self.flow.targets)
        changed = 0
        for pair in self.flow.pairs:
            change = changes.get(pair.table, UNCHANGED)
            if change.emptied:
                for shape in reversed(pair.target.tables):
                    self.into.empty(shape)
                state = tables[pair.table]
                tables[pair.table] = begun_anew(state, state.schema, state.dirty)
                changed += change.entries
            elif change.entries and not tables[pair.table].dirty:
                # What was missed of a doubted table may stand in the way of what was not: it is copied anew.
                changed += self._renew(pair, tables[pair.table], known.position)
                if change.part_emptied:  # which keys that concerns, no log says
                    tables[pair.table] = unverified(tables[pair.table])
        pair_in_work = next((pair for pair in self.flow.pairs if not tables[pair.table].done), None)
        copied = 0
        if pair_in_work is not None:
            tables[pair_in_work.table], copied = self._copy_chunk(pair_in_work, tables[pair_in_work.table])
        table = pair_in_work.table if pair_in_work else ""
        return Stepped(Checkpoint(self.moment.position, tables), copied, changed, table)

    def _renew(self, pair: Pair, state: TableState, since: str) -> int:
        """Replace the rows whose keys were logged, as far as the table is copied."""
        if not state.done and state.cursor is None:
            return 0
        upto: Key | None = None if state.done else state.cursor
        changed = 0
        # All deleted before any is inserted: a unique value may have gone from one of them to another.
        for leg in reversed(pair.legs):
            keys = self.moment.dirty_keys(pair.source, since, upto)
            changed = self.flow.carrier.delete(self.into, leg, keys)
        for leg in pair.legs:
            rows = self.moment.dirty_rows(pair.source, leg.columns, since, upto)
            self.flow.carrier.insert(self.into, leg, rows)
            if leg.kept:
                self.into.put_back(leg.target, leg.key_into, leg.kept)
        return changed

    def _copy_chunk(self, pair: Pair, state: TableState) -> tuple[TableState, int]:
        bound = self.moment.bound(pair.source, state.cursor, self._rows_a_chunk(pair.source))
        copied = 0
        for leg in pair.legs:
            rows = self.moment.chunk(pair.source, leg.columns, state.cursor, bound, ordered=False)
            copied = self.flow.carrier.insert(self.into, leg, rows)
        reached = msgspec.structs.replace(
            state,
            cursor=bound if bound is not None else state.cursor,
            done=bound is None,
            rows=state.rows + copied,
        )
        return reached, copied

    def _rows_a_chunk(self, shape: Shape) -> int:
        size = sum(map(self.moment.sized, shape.tables))
        most = self.flow.chunk_rows
        return max(1, min(most, self.flow.chunk_bytes // size)) if size else most


def _doubted(state: TableState, why: str) -> TableState:
    if state.dirty:
        return state
    return msgspec.structs.replace(unverified(state), dirty=why, begun=state.begun + 1)


def changes_of(pair: Pair, logged: Mapping[str, Changes]) -> Changes:
    """Return what was logged of a pair's source, its parts included, out of what was logged of each table."""
    parent, *parts = (logged.get(shape.table, UNCHANGED) for shape in pair.source.tables)
    entries = sum(each.entries for each in (parent, *parts))
    return Changes(entries, parent.emptied, any(part.emptied for part in parts))


def drifted(flow: Flow, known: Checkpoint) -> dict[str, str]:
    """Return the tables whose columns or types are no longer those that were copied."""
    return {
        pair.table: OTHER_COLUMNS
        for pair in flow.pairs
        if known.tables[pair.table].schema not in ("", pair.schema)
    }


def mistrust(flow: Flow, lease: Lease, epoch: int) -> bool:
    """Put the follower's fence back where it is gone, and doubt every table: others may have written there.

    Return whether it was gone.
    """
    with flow.target.snapshot() as moment:
        if moment.fence_epoch(flow.targets) is not None:
            return False
    with flow.target.transaction(lease) as into:
        into.fence(flow.targets, flow.takeover, epoch)
        known = decode(into.checkpoint() or "", Checkpoint)
        tables = {name: _doubted(state, "its fence was gone") for name, state in known.tables.items()}
        into.keep(Note.CHECKPOINT, encode(Checkpoint(known.position, tables)))
    return True


def nothing_copied(flow: Flow, position: str) -> Checkpoint:
    """Return the checkpoint of a target that holds nothing yet."""
    return Checkpoint(position, {pair.table: TableState(schema=pair.schema) for pair in flow.pairs})


def all_copied(flow: Flow, position: str) -> Checkpoint:
    """Return the checkpoint of a target that holds everything, as when it was the owner until now."""
    whole = {
        pair.table: TableState(done=True, verified=True, compared=position, schema=pair.schema)
        for pair in flow.pairs
    }
    return Checkpoint(position, whole)
