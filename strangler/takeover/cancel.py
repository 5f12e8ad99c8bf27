"""`takeover cancel`: undo what was begun and not decided; else stop following altogether."""

from dataclasses import dataclass

from proxy.routes import Owner
from strangler.errors import WrongOwner
from strangler.takeover.giving_up import abort, reopen
from strangler.takeover.handover import Where, opened, switch_of
from strangler.takeover.session import Takeover
from strangler.takeover.situation import State, situation
from strangler.takeover.switch import Switch


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What was found, and whether the takeover itself ended."""

    group: str
    found: State
    ended: bool
    executed: bool


def cancel(where: Where, *, execute: bool) -> Cancelled:
    """Give up a change of owner that was not decided, or a takeover before its cutover. Raises WrongOwner."""
    with opened(where) as takeover:
        takeover.databases.started()
        if execute:
            takeover.databases.coordinate()
        now = situation(takeover)
        ends = now.state is State.OWNED
        decided = now.state is State.UNADOPTED or (ends and now.owner is Owner.SERVICE)
        if decided:
            raise WrongOwner(
                f"the service owns {where.group!r} since epoch {now.epoch}; what is decided is not cancelled",
                next=f"strangler takeover rollback {where.group}        (gives the ownership back)",
            )
        if execute:
            switch = switch_of(takeover, where, now.owner, now.attempt)
            try:
                _undo(switch, now.state, takeover)
            finally:
                where.gateway.release(where.group)
        return Cancelled(where.group, now.state, ends, executed=execute)


def _undo(switch: Switch, state: State, takeover: Takeover) -> None:
    if state is State.FENCED:
        abort(switch)
    elif state is State.ABORTED:
        reopen(switch)
    else:
        _end(switch, takeover)


def _end(switch: Switch, takeover: Takeover) -> None:
    """Stop the capture and forget the takeover. The service's fence stays: behind it is only a copy."""
    flow = switch.flow

    def end(wait: float) -> None:
        with flow.source.transaction(switch.leases.monolith, wait=wait) as into:
            into.lock_out_writers(flow.sources)
            into.dissolve(flow.sources)

    switch.patience.insist(takeover.name, end)
    with flow.target.transaction(switch.leases.service) as into:
        into.tighten(flow.targets)
        into.dissolve(flow.targets)
