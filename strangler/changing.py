"""Put a changed routing table in force: record, file, workers, record of the outcome. All of it under one
lock.

The order is what makes a crash harmless. It goes ahead only if the table is still the version that the change
was worked out on.
"""

from collections.abc import Callable

from proxy.change import TableChange
from strangler.actor import Actor
from strangler.audit import Action, Audit, Outcome, Record, reconcile
from strangler.errors import NotAcknowledged
from strangler.installation import Installation
from strangler.table_file import change_lock, expect_version, replace_text
from strangler.workers import Applied, Replies, apply_table


def put_in_force(
    place: Installation, text: str, change: TableChange, record: Callable[[], Record], actor: Actor
) -> Replies[Applied]:
    """Replace the table by `text` and tell every worker. Raises ConcurrentChange; then nothing changed."""
    audit = Audit(place.audit)
    with change_lock(place.lock, actor.name):
        expect_version(place.table, change.base)
        for missing in reconcile(audit.read(), change.base, at=actor.at(), who=actor.name):
            audit.append(missing)
        line = audit.append(record())
        replace_text(place.table, text, expected=change.base)
        replies = apply_table(place.control, change)
        audit.append(_outcome(line, change.version, replies, actor))
    return replies


def acknowledged(replies: Replies[Applied], version: str) -> tuple[int, ...]:
    """Return the workers that serve a version, by pid."""
    return tuple(answer.pid for answer in replies.answers if answer.version == version)


def require_acknowledgement(replies: Replies[Applied], version: str, what: str, next: str) -> None:  # noqa: A002
    """Raise NotAcknowledged, naming `what` was changed, where a worker is not known to serve `version`."""
    missing = unconfirmed(replies, version)
    if missing:
        workers = "; ".join(f"worker {pid}: {why}" for pid, why in missing)
        raise NotAcknowledged(
            f"the table is at version {version} ({what}), and not every proxy worker has"
            f" confirmed it: {workers}",
            next=next,
        )


def unconfirmed(replies: Replies[Applied], version: str) -> list[tuple[int, str]]:
    """Return the workers that are not known to serve a version, each with what it did instead."""
    elsewhere = [
        (
            answer.pid,
            f"serves version {answer.version}" + (f": {answer.rejected.reason}" if answer.rejected else ""),
        )
        for answer in replies.answers
        if answer.version != version
    ]
    return elsewhere + [(silent.pid, silent.why) for silent in replies.silent]


def _outcome(line: int, version: str, replies: Replies[Applied], actor: Actor) -> Record:
    return Record(
        at=actor.at(),
        who=actor.name,
        action=Action.OUTCOME,
        of=line,
        outcome=Outcome.APPLIED,
        acknowledged=acknowledged(replies, version),
        silent=tuple(pid for pid, _ in unconfirmed(replies, version)) or None,
    )
