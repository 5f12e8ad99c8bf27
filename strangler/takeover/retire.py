"""`takeover retire`: the one-way step. The monolith's copy follows no more, and there is no rollback after
it.

The copy stays where it is, fenced and readable, until its owner drops it: code that joins with it goes on,
with rows that grow old.
"""

from dataclasses import dataclass

from proxy.routes import Owner
from strangler.errors import NotConfirmed, WrongOwner
from strangler.takeover.handover import Where, opened, switch_of
from strangler.takeover.session import COORDINATOR
from strangler.takeover.situation import State, require_sound_situation, situation
from strangler.takeover.state import Note
from strangler.takeover.switching import chase


@dataclass(frozen=True, slots=True)
class Retired:
    """What was retired, or would be: the monolith's tables."""

    group: str
    tables: tuple[str, ...]
    executed: bool


def retire(where: Where, confirmed: str, *, execute: bool) -> Retired:
    """End the reverse sync of a group that its service owns. Safe to run again."""
    with opened(where) as takeover:
        tables = tuple(pair.source.table for pair in takeover.pairs)
        takeover.databases.started()
        if situation(takeover).state is State.RETIRED:
            return Retired(where.group, tables, executed=execute)
        if execute:
            takeover.databases.claim(COORDINATOR)
        now = require_sound_situation(takeover)
        if now.owner is not Owner.SERVICE:
            raise WrongOwner(
                f"the monolith owns {where.group!r}; wanted the service, before its copy there is given up",
                next=f"strangler takeover cutover {where.group}",
            )
        if not execute:
            return Retired(where.group, tables, executed=False)
        if confirmed != where.group:
            raise NotConfirmed(
                f"there is no way back from retiring {where.group!r}, and --confirm says"
                f" {confirmed!r}; wanted"
                " the group's name",
                next=f"strangler takeover retire {where.group} --execute --confirm {where.group}",
            )
        switch = switch_of(takeover, where, Owner.SERVICE, now.attempt)
        chase(switch)
        with switch.old.transaction(switch.leases.service) as into:
            into.stop_capture(switch.flow.sources)
            into.keep(Note.RETIRED, "true")
        return Retired(where.group, tables, executed=True)
