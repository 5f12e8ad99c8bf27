"""`takeover resume`: finish what was begun. The rows say what that is; running it again changes nothing."""

from dataclasses import dataclass

from proxy.routes import Owner
from strangler.takeover.giving_up import reopen, settled
from strangler.takeover.handover import Where, opened, switch_of
from strangler.takeover.session import other
from strangler.takeover.situation import State, situation
from strangler.takeover.switching import finish, follow_up


@dataclass(frozen=True, slots=True)
class Resumed:
    """What was found half done, and who owns now."""

    group: str
    found: State
    owner: Owner
    epoch: int
    executed: bool


def resume(where: Where, *, execute: bool) -> Resumed:
    """Finish a change of owner that was interrupted, forwards wherever the rows allow it."""
    with opened(where) as takeover:
        takeover.databases.started()
        if execute:
            takeover.databases.coordinate()
        now = situation(takeover)
        if not execute:
            return Resumed(where.group, now.state, now.owner, now.epoch, executed=False)
        origin = other(now.owner) if now.state in {State.UNADOPTED, State.OWNED} else now.owner
        switch = switch_of(takeover, where, origin, now.attempt)
        try:
            if now.state is State.FENCED:
                with settled(switch):
                    finish(switch, where.reached)
            elif now.state is State.ABORTED:
                reopen(switch)
            elif now.state is State.UNADOPTED:
                row = next(row for row in takeover.databases.rows() if row.epoch == now.epoch)
                follow_up(switch, row, where.reached)
            else:
                where.gateway.route(where.group, now.owner)
        finally:
            where.gateway.release(where.group)
        after = situation(takeover)
        return Resumed(where.group, now.state, after.owner, after.epoch, executed=True)
