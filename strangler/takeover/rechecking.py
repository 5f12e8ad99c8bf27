"""Compare again what changed since it was found equal: key by key, both sides as they were at one moment.

So a table that was verified once stays verified by comparison, not by trust in the applier. What differs
is not called equal any more; nothing is repaired.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from strangler.errors import RowsDiffer, TooManyChanged
from strangler.takeover.comparing import Compared, compare_changed
from strangler.takeover.engines import LeaseLost, Snapshot
from strangler.takeover.flow import Flow, changes_of, step_to
from strangler.takeover.shape import Pair
from strangler.takeover.state import Checkpoint, Lease, Note, decode, encode, unverified

MOST_KEYS = 200_000  # that may have changed in a table since it was last compared
MOST_BEHIND_FENCE = 10_000  # the same while nobody can write


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What comparing gave, up to `checkpoint`; `unread` tables had more changed keys than may be compared."""

    checkpoint: Checkpoint
    found: tuple[Compared, ...] = ()
    unread: tuple[tuple[str, int], ...] = ()

    @property
    def differing(self) -> tuple[Compared, ...]:
        """The tables that are not the same on both sides."""
        return tuple(each for each in self.found if each.differing)

    def in_words(self) -> str:
        """Return which rows differ, a line a table, then which tables changed too much."""
        lines = [
            f"{each.table}: {each.differing} of {each.rows} changed rows differ: "
            + "; ".join(f"{row.key} {row.kind}" for row in each.differences)
            for each in self.differing
        ]
        lines += [
            f"{table}: {entries:,} keys changed since it was compared" for table, entries in self.unread
        ]
        return "\n     ".join(lines)


def recheck(flow: Flow, lease: Lease, most: int = MOST_KEYS) -> Rechecked:
    """Bring the follower to a moment, compare what changed until then, and keep what came of it.

    Raises LeaseLost; then nothing was said.
    """
    with flow.source.snapshot() as moment:
        checkpoint = step_to(flow, lease, moment).checkpoint
        rechecked = compare_since(flow, checkpoint, moment, most)
    remember(flow, lease, rechecked)
    return rechecked


def compare_since(flow: Flow, checkpoint: Checkpoint, moment: Snapshot, most: int) -> Rechecked:
    """Compare the keys that changed since each table was compared. Read-only.

    The follower must have come to `moment`, which is what `checkpoint` says.
    """
    found, unread = [], []
    with flow.target.snapshot() as copy:
        for pair, since, entries in _due(flow, checkpoint, moment):
            if entries > most:
                unread.append((pair.table, entries))
            else:
                found.append(compare_changed(flow, pair, moment, copy, since))
    return Rechecked(checkpoint, tuple(found), tuple(unread))


def remember(flow: Flow, lease: Lease, rechecked: Rechecked) -> None:
    """Keep in the checkpoint up to where each table was compared, or that it is not equal any more."""
    known = rechecked.checkpoint
    doubted = {each.table for each in rechecked.differing} | {table for table, _ in rechecked.unread}
    tables = {
        name: unverified(state)
        if name in doubted
        else msgspec.structs.replace(state, compared=known.position if state.compared else "")
        for name, state in known.tables.items()
    }
    if tables == known.tables:
        return
    with flow.target.transaction(lease) as into:
        if into.checkpoint() != encode(known):
            raise LeaseLost(flow.takeover)
        into.keep(Note.CHECKPOINT, encode(Checkpoint(known.position, tables)))


def begin_comparing(flow: Flow, lease: Lease, checkpoint: Checkpoint, tables: set[str]) -> None:
    """Have what changes in tables from `checkpoint` on compared: a verification begins there."""
    with flow.target.transaction(lease) as into:
        known = decode(into.checkpoint() or "", Checkpoint)
        if known != checkpoint:
            raise LeaseLost(flow.takeover)
        begun = {
            name: msgspec.structs.replace(state, compared=state.compared or known.position)
            if name in tables
            else state
            for name, state in known.tables.items()
        }
        into.keep(Note.CHECKPOINT, encode(Checkpoint(known.position, begun)))


def require_equal(flow: Flow, rechecked: Rechecked) -> None:
    """Raise RowsDiffer or TooManyChanged, naming tables and keys, where not all that changed is equal."""
    if rechecked.differing:
        raise RowsDiffer(
            f"rows of {flow.takeover!r} that changed since they were verified are not the same on both"
            f" sides; the owner stays:\n     {rechecked.in_words()}",
            next=f"strangler takeover verify {flow.takeover}",
        )
    if rechecked.unread:
        raise TooManyChanged(
            f"more rows of {flow.takeover!r} changed since they were verified than are compared while the"
            f" owner changes; it stays:\n     {rechecked.in_words()}",
            next=f"strangler takeover verify {flow.takeover}",
        )


def _due(flow: Flow, checkpoint: Checkpoint, moment: Snapshot) -> Iterator[tuple[Pair, str, int]]:
    """Yield each table that has changed since it was compared: since when, and how many entries."""
    for pair in flow.pairs:
        since = checkpoint.tables[pair.table].compared
        if since and since != checkpoint.position:
            entries = changes_of(pair, moment.changes(pair.source.tables, since)).entries
            if entries:
                yield pair, since, entries
