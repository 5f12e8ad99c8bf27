"""What cutover and rollback share: check who owns, then change the owner, or say that it would be changed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from proxy.routes import Owner, RouteTable
from strangler.errors import CoordinatorBusy, TargetRefusedRows, WrongOwner
from strangler.takeover.engines import LeaseLost
from strangler.takeover.fitness import fit_takeover
from strangler.takeover.gateway import Gateway, NoGateway
from strangler.takeover.mapping import Mapping as TableMappings
from strangler.takeover.noting import Noted
from strangler.takeover.patience import Patience
from strangler.takeover.session import (
    DRIVER_FAULTS,
    Databases,
    Takeover,
    find_group,
    open_databases,
    other,
)
from strangler.takeover.situation import require_sound_situation
from strangler.takeover.switch import Reached, Step, Switch, Timed, nobody_cares
from strangler.takeover.switching import change_owner, ready


@dataclass(frozen=True, slots=True)
class Where:
    """Where a takeover is: its group, its databases, the proxy before them."""

    routes: RouteTable
    group: str
    environ: Mapping[str, str]
    var: Path
    mappings: TableMappings = field(default_factory=TableMappings)
    gateway: Gateway = field(default_factory=NoGateway)
    patience: Patience = field(default_factory=Patience)
    reached: Reached = nobody_cares


@dataclass(frozen=True, slots=True)
class Handover:
    """What a change of owner did, or would do; `owner` is who owns once it is done.

    `noted` is who was seen to write the monolith's tables, where anybody looked.
    """

    group: str
    owner: Owner
    epoch: int
    executed: bool
    steps: tuple[Timed, ...] = ()
    noted: Noted | None = None

    @property
    def fenced(self) -> float:
        """Seconds between the last moment the old owner took writes and the first the new one did."""
        at = {timed.step: timed.seconds for timed in self.steps}
        return at.get(Step.COMMITTED, 0.0) - at.get(Step.HELD, 0.0)


@contextmanager
def opened(where: Where) -> Iterator[Takeover]:
    """Open a takeover that fits. Raises Refused."""
    with opened_databases(where) as databases:
        yield fit_takeover(databases, where.mappings)


@contextmanager
def opened_databases(where: Where) -> Iterator[Databases]:
    """Open both databases, whatever is in them, and tell what they refuse as Refused."""
    with open_databases(find_group(where.routes, where.group), where.environ, where.var) as databases:
        try:
            yield databases
        except LeaseLost:
            raise CoordinatorBusy(
                f"another process took the takeover of {where.group!r} over while this one was at work",
                next=f"strangler takeover status {where.group}",
            ) from None
        except DRIVER_FAULTS as fault:
            raise TargetRefusedRows(
                f"a database refused or did not answer what the takeover of {where.group!r} asked of it; that"
                f" step is done whole or not at all: {str(fault).strip()}",
                next=f"strangler takeover status {where.group}",
            ) from None


def nowhere(_takeover: Takeover) -> None:
    """Look for no writers."""


def hand_over(
    where: Where, origin: Owner, *, execute: bool, look: Callable[[Takeover], Noted | None] = nowhere
) -> Handover:
    """Make the other side the owner. Raises WrongOwner where `origin` is not the owner now.

    `look` says who writes, before anything is done, and may refuse.
    """
    with opened(where) as takeover:
        takeover.databases.started()
        if execute:
            takeover.databases.coordinate()
        now = require_sound_situation(takeover)
        if now.owner is not origin:
            undo = "rollback" if now.owner is Owner.SERVICE else "cutover"
            raise WrongOwner(
                f"group {where.group!r} is owned by the {now.owner} since epoch {now.epoch};"
                f" wanted the {origin}",
                next=f"strangler takeover {undo} {where.group}        (for the other way)",
            )
        found = look(takeover)
        if not execute:
            flow = takeover.flow(origin)
            ready(flow, flow.checkpoint())
            return Handover(where.group, other(origin), now.attempt, executed=False, noted=found)
        switch = switch_of(takeover, where, origin, now.attempt)
        steps = change_owner(switch)
        return Handover(where.group, switch.to, switch.epoch, executed=True, steps=steps, noted=found)


def switch_of(takeover: Takeover, where: Where, origin: Owner, epoch: int) -> Switch:
    """Return a change of owner, for which the lease is taken."""
    leases = takeover.databases.take_leases(where.patience.longest)
    return Switch(takeover, leases, origin, epoch, where.gateway, where.patience, where.reached)
