"""Tell what changed, when, by whom and with what outcome, and whether the record is whole. Read-only."""

from dataclasses import dataclass

from strangler.audit import Action, Audit, Fault, Record
from strangler.installation import Installation


@dataclass(frozen=True)
class Event:
    """One recorded change with its outcome; `outcome` is None for a change that was interrupted."""

    line: int
    change: Record
    outcome: Record | None


@dataclass(frozen=True)
class History:
    """The changes, oldest first, and every line that is not as it was written."""

    events: tuple[Event, ...]
    faults: tuple[Fault, ...]


def history(place: Installation, route: str | None) -> History:
    """Return what the audit records, of one route if named (edits by hand may be of any route)."""
    chain = Audit(place.audit).read()
    events = tuple(
        Event(change.number, change.record, chain.outcome_of(change))
        for change in chain.changes
        if route is None or change.record.route == route or change.record.action is Action.HAND_EDIT
    )
    return History(events, chain.faults)
