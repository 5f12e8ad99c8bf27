"""`takeover writers`: list who writes a group's tables in the monolith, before a fence would refuse them.

Triggers on the tables note each writer once in ten seconds, whoever it is, and refuse nothing. What is kept
grows with the number of writers and not of writes.
"""

from dataclasses import dataclass
from enum import StrEnum

from proxy.routes import Owner
from strangler.errors import WrongOwner
from strangler.takeover.handover import Where, opened
from strangler.takeover.noting import noted
from strangler.takeover.seen import Writer
from strangler.takeover.session import Takeover
from strangler.takeover.situation import require_sound_situation


class Change(StrEnum):
    """What to do about noting."""

    NONE = "none"
    START = "start"  # anew: who was seen before is forgotten
    STOP = "stop"  # who was seen stays listed


@dataclass(frozen=True, slots=True)
class WritersReport:
    """Who was seen to write. `noting`: whether everybody who writes now will be, too."""

    group: str
    noting: bool
    writers: tuple[Writer, ...]


def note_writers(where: Where, change: Change = Change.NONE) -> WritersReport:
    """Return who was seen to write a group's tables, after `change`. Raises NotStarted, WrongOwner."""
    with opened(where) as takeover:
        takeover.databases.started()
        if change is not Change.NONE:
            _change(takeover, where, change)
        found = noted(takeover, where.routes)
        return WritersReport(where.group, found.noting, found.writers)


def _change(takeover: Takeover, where: Where, change: Change) -> None:
    takeover.databases.coordinate()
    now = require_sound_situation(takeover)
    if now.owner is not Owner.MONOLITH:
        raise WrongOwner(
            f"the service owns {where.group!r} since epoch {now.epoch}, and the fence refuses who"
            " still writes in the monolith; wanted the monolith as owner",
            next=f"strangler takeover status {where.group}",
        )
    flow = takeover.flow(Owner.MONOLITH)
    leases = takeover.databases.take_leases()

    def apply(wait: float) -> None:
        with flow.source.transaction(leases.monolith, wait=wait) as into:
            into.lock_out_writers(flow.sources)
            if change is Change.START:
                into.start_noting_writers(flow.sources, flow.takeover)
            else:
                into.stop_noting_writers(flow.sources)

    where.patience.insist(flow.takeover, apply)
