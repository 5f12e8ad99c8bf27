"""Put a changed routing table in force: record, file, workers, record of the outcome. All of it under one
lock.

The order is what makes a crash harmless. It goes ahead only if the table is still the version that the change
was worked out on, here and on every other machine.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from proxy.change import TableChange, change_between
from proxy.table import parse_table
from strangler.actor import Actor
from strangler.audit import Action, Audit, Outcome, Record, reconcile
from strangler.errors import ChangeUndone, NotAcknowledged, StranglerError, UndoIncomplete
from strangler.everywhere import MachineState, put, require_version
from strangler.installation import Installation
from strangler.table_file import change_lock, expect_version, read_text, replace_text
from strangler.workers import Applied, Replies, apply_table


class Reach(enum.Enum):
    """Where a change must be made if it is to be made at all."""

    EVERYWHERE = "everywhere"  # on every machine or on none
    WHEREVER = "wherever"  # on every machine that answers: it must not wait for one that does not


@dataclass(frozen=True)
class InForce:
    """What said what about a version: this machine's workers, and every other machine."""

    version: str
    workers: Replies[Applied]
    machines: tuple[MachineState, ...] = ()

    @property
    def acknowledged(self) -> tuple[int, ...]:
        """This machine's workers that serve it, by pid."""
        return tuple(answer.pid for answer in self.workers.answers if answer.version == self.version)

    @property
    def silent(self) -> tuple[tuple[int, str], ...]:
        """This machine's workers that are not known to serve it, each with what it did instead."""
        elsewhere = tuple(
            (
                answer.pid,
                f"serves version {answer.version}"
                + (f": {answer.rejected.reason}" if answer.rejected else ""),
            )
            for answer in self.workers.answers
            if answer.version != self.version
        )
        return elsewhere + tuple((silent.pid, silent.why) for silent in self.workers.silent)

    @property
    def serving(self) -> tuple[str, ...]:
        """The other machines that serve it, by name."""
        return tuple(state.name for state in self.machines if state.serves(self.version))

    @property
    def behind(self) -> tuple[MachineState, ...]:
        """The other machines that are not known to serve it."""
        return tuple(state for state in self.machines if not state.serves(self.version))

    @property
    def missing(self) -> str:
        """Who is not known to serve it, with what it did instead; empty for nobody."""
        workers = [f"worker {pid}: {why}" for pid, why in self.silent]
        return "; ".join(workers + [f"{state.name}: {state.in_words()}" for state in self.behind])


def put_in_force(
    place: Installation,
    text: str,
    change: TableChange,
    record: Callable[[], Record],
    actor: Actor,
    reach: Reach,
) -> InForce:
    """Replace the table by `text` and tell every worker.

    Raises ConcurrentChange or what says why a machine cannot take it; then nothing changed. Raises
    ChangeUndone or UndoIncomplete where a machine did not take it after all.
    """
    audit = Audit(place.audit)
    with change_lock(place.lock, actor.name):
        expect_version(place.table, change.base)
        if reach is Reach.EVERYWHERE:
            require_version(place.machines, change.base)
        for missing in reconcile(audit.read(), change.base, at=actor.at(), who=actor.name):
            audit.append(missing)
        before = read_text(place.table)
        line = audit.append(record())
        replace_text(place.table, text, expected=change.base)
        found = InForce(change.version, apply_table(place.control, change), put(place.machines, text, change))
        if reach is Reach.EVERYWHERE and place.machines.all and found.missing:
            undone = _take_back(place, before, text)
            audit.append(_outcome(line, found, actor, Outcome.UNDONE))
            raise _undone(found, undone)
        audit.append(_outcome(line, found, actor, Outcome.APPLIED))
    return found


def require_acknowledgement(found: InForce, what: str, next: str) -> None:  # noqa: A002
    """Raise NotAcknowledged, naming `what` was changed, where somebody is not known to serve the version."""
    if found.missing:
        again = "        (strangler apply, once every machine answers)" if found.behind else ""
        raise NotAcknowledged(
            f"the table is at version {found.version} ({what}), and not every proxy worker has"
            f" confirmed it: {found.missing}",
            next=next + again,
        )


def _take_back(place: Installation, before: str, text: str) -> InForce:
    """Put the old table back here and on every machine."""
    change = change_between(
        parse_table(text, "the table after the change"), parse_table(before, "the table before the change")
    )
    replace_text(place.table, before, expected=change.base)
    workers = apply_table(place.control, change)
    return InForce(change.version, workers, put(place.machines, before, change))


def _undone(found: InForce, undone: InForce) -> StranglerError:
    if not undone.missing:
        return ChangeUndone(
            f"version {found.version} was not confirmed by everybody: {found.missing}; the table is at"
            f" version {undone.version} again everywhere",
            next="strangler status",
        )
    return UndoIncomplete(
        f"version {found.version} was not confirmed by everybody: {found.missing}; it was taken back, and not"
        f" everybody has confirmed version {undone.version}: {undone.missing}",
        next="strangler status        (then strangler apply, once it answers)",
    )


def _outcome(line: int, found: InForce, actor: Actor, outcome: Outcome) -> Record:
    return Record(
        at=actor.at(),
        who=actor.name,
        action=Action.OUTCOME,
        of=line,
        outcome=outcome,
        acknowledged=found.acknowledged,
        silent=tuple(pid for pid, _ in found.silent) or None,
        machines=found.serving or None,
        behind=tuple(state.name for state in found.behind) or None,
    )
