"""Change the owner of a table set: hold, fence, drain, commit, route, release. Cutover and rollback are
this, once in each direction.

One row decides, in the database of the owner-to-be: what is inserted first for an epoch, `committed` or
`aborted`, is what happened, whoever dies when. Everything before it can be undone, everything after it only
be finished. The proxy is told, and never relied on.
"""

from collections.abc import Mapping
from contextlib import suppress
from time import perf_counter

from proxy.routes import Owner
from strangler.errors import NotVerified, TableDirty
from strangler.takeover.engines import LeaseLost, Transaction
from strangler.takeover.flow import Flow, all_copied, step, step_to
from strangler.takeover.giving_up import settled
from strangler.takeover.rechecking import (
    MOST_BEHIND_FENCE,
    compare_since,
    recheck,
    remember,
    require_equal,
)
from strangler.takeover.state import Checkpoint, Note, Outcome, OwnerRow, encode
from strangler.takeover.switch import Reached, Step, Switch, Timed

# Ids left unused between the old owner's last one and the new one's first.
ID_GAP = 1000


def change_owner(switch: Switch) -> tuple[Timed, ...]:
    """Do all of it; return when each step was reached. What fails before the row is decided is undone.

    Raises Undecided where the owner-to-be cannot be asked: then nobody may write until it answers.
    """
    times: list[Timed] = []
    started = perf_counter()

    def note(reached: Step) -> None:
        times.append(Timed(reached, perf_counter() - started))
        switch.reached(reached)

    if switch.origin is Owner.MONOLITH:  # the way back waits for no proxy
        switch.gateway.require_answers(switch.name)
    arm(switch)
    note(Step.ARMED)
    switch.gateway.hold(switch.name)
    try:
        with settled(switch):
            note(Step.HELD)
            fence(switch)
            note(Step.FENCED)
            finish(switch, note)
    finally:
        switch.gateway.release(switch.name)
    note(Step.RELEASED)
    return tuple(times)


def arm(switch: Switch) -> None:
    """Make sure that nothing stands in the way, and do beforehand what need not be done behind the fence.

    Raises NotVerified, TableDirty, or whatever the way back would fail with.
    """
    switch.reached(Step.ARM)
    changed = chase(switch)
    ready(switch.flow, switch.flow.checkpoint())
    require_equal(switch.flow, recheck(switch.flow, switch.leases.of(switch.to)))
    back = switch.takeover.flow(switch.to)
    with switch.new.snapshot() as moment:
        capturing = not back.missing_capture(moment)
    if not capturing:
        switch.patience.insist(switch.name, lambda wait: _capture_new(switch, back, wait))
    if changed:
        _prune(switch)
    with suppress(_Undone), switch.old.transaction(switch.leases.of(switch.origin)) as into:
        _prove_writable(into, back)
        raise _Undone


def fence(switch: Switch) -> None:
    """Let every writer of the old owner end, and refuse all who come after. Raises WritersInTheWay."""

    def install(wait: float) -> None:
        with switch.old.transaction(switch.leases.of(switch.origin), wait=wait) as into:
            into.lock_out_writers(switch.flow.sources)
            into.fence(switch.flow.sources, switch.name, switch.epoch)

    switch.patience.insist(switch.name, install)


def finish(switch: Switch, note: Reached) -> None:
    """Behind the fence: drain, decide, and tell everybody. May be called again after a crash."""
    given_out = drain(switch)
    note(Step.DRAINED)
    row = commit(switch, given_out)
    note(Step.COMMITTED)
    follow_up(switch, row, note)


def follow_up(switch: Switch, row: OwnerRow, note: Reached) -> None:
    """Do what a committed row makes true: the old owner follows the new one, and routes lead there."""
    adopt(switch, row)
    note(Step.ADOPTED)
    switch.gateway.route(switch.name, switch.to)
    note(Step.ROUTED)


def drain(switch: Switch) -> dict[str, int]:
    """Follow to the end, and compare what changed on the way; return the highest ids that were given out.

    A moment behind the fence has seen all that was ever written: one step is the last. The commit that
    follows, in the same database, is what makes it durable. Raises NotVerified, TableDirty, RowsDiffer or
    TooManyChanged.
    """
    flow, lease = switch.flow, switch.leases.of(switch.to)
    with flow.source.snapshot() as moment:
        checkpoint = step_to(flow, lease, moment, durable=False).checkpoint
        ready(flow, checkpoint)
        rechecked = compare_since(flow, checkpoint, moment, MOST_BEHIND_FENCE)
        given_out = moment.highest_ids(flow.sources)
    if rechecked.differing:
        remember(flow, lease, rechecked)
    require_equal(flow, rechecked)
    return {
        shape.table: max(given_out.get(each.table, 0) for each in pair.source.tables)
        for pair in flow.pairs
        for shape in pair.target.tables
    }


def commit(switch: Switch, given_out: Mapping[str, int]) -> OwnerRow:
    """Decide the epoch, in one transaction on the owner-to-be: numbers, fence, row. Raises LeaseLost.

    `given_out` has the highest ids that the old owner ever gave out, by the new one's tables.
    """
    back = switch.takeover.flow(switch.to)

    def decide(wait: float) -> OwnerRow:
        with switch.new.transaction(switch.leases.of(switch.to), wait=wait) as into:
            into.lock_out_writers(back.sources)
            into.start_ids_after({table: highest + ID_GAP for table, highest in given_out.items()})
            into.lift_fence(back.sources)
            row = OwnerRow(switch.epoch, switch.to, Outcome.COMMITTED, into.position())
            if not into.decide(row, "coordinator"):
                raise LeaseLost(switch.name)
            into.enter(switch.epoch)
        return row

    return switch.patience.insist(switch.name, decide)


def adopt(switch: Switch, row: OwnerRow) -> None:
    """Turn the old owner into a follower of the new one, with all its rows. Safe to run again."""
    back = switch.takeover.flow(switch.to)

    def turn(wait: float) -> None:
        with switch.old.transaction(switch.leases.of(switch.origin), wait=wait) as into:
            into.lock_out_writers(back.targets)
            into.stop_capture(back.targets)
            for pair in back.pairs:
                into.fill_gaps(pair.target)
            into.keep(Note.CHECKPOINT, encode(all_copied(back, row.position)))
            into.enter(row.epoch)

    switch.patience.insist(switch.name, turn)


def chase(switch: Switch) -> int:
    """Follow writers who go on, until a step has no less to do than the one before; return the changes."""
    changed, before = 0, None
    while True:
        done = step(switch.flow, switch.leases.of(switch.to))
        changed += done.changed
        if done.settled or (done.checkpoint.complete and before is not None and done.changed >= before):
            return changed
        before = done.changed if done.checkpoint.complete else None


def _prune(switch: Switch) -> None:
    """Delete what is applied from the log: the shorter it is, the shorter is the last step."""
    checkpoint = switch.flow.checkpoint()
    if checkpoint is not None:
        with switch.old.transaction(switch.leases.of(switch.origin)) as into:
            into.forget_log(switch.flow.sources, checkpoint.position)
        switch.old.tidy_logs(switch.flow.sources)


def ready(flow: Flow, checkpoint: Checkpoint | None) -> None:
    """Make sure that the follower is whole, as far as is known. Raises NotVerified or TableDirty."""
    if checkpoint is None or not checkpoint.complete:
        raise NotVerified(
            f"the tables of {flow.takeover!r} are not copied yet; wanted all of them, verified",
            next=f"strangler takeover start {flow.takeover} --execute",
        )
    if checkpoint.dirty:
        listed = "\n     ".join(f"{table}: {why}" for table, why in checkpoint.dirty.items())
        raise TableDirty(
            f"changes of {len(checkpoint.dirty)} table(s) of {flow.takeover!r} were not"
            f" captured:\n     {listed}",
            next=f"strangler takeover start {flow.takeover} --execute        (copies these anew)",
        )
    if not checkpoint.verified:
        wanting = ", ".join(name for name, state in checkpoint.tables.items() if not state.verified)
        raise NotVerified(
            f"{wanting} of {flow.takeover!r} was not verified since it was copied; wanted every"
            " table found equal",
            next=f"strangler takeover verify {flow.takeover}",
        )


class _Undone(Exception):
    """Ends a transaction that only proved something."""


def _capture_new(switch: Switch, back: Flow, wait: float) -> None:
    with switch.new.transaction(switch.leases.of(switch.to), wait=wait) as into:
        into.lock_out_writers(back.sources)
        into.start_capture(back.sources, switch.name)


def _prove_writable(into: Transaction, back: Flow) -> None:
    """Do to the old owner, in a transaction that is undone, what reverse sync will do."""
    for pair in back.pairs:
        for leg in pair.legs:
            into.delete(leg.target, leg.key_into, iter(()))
            into.insert(leg.target, leg.into, iter(()))
        into.fill_gaps(pair.target)
    into.keep(Note.CHECKPOINT, encode(all_copied(back, "")))
