"""Give a change of owner up, as long as no row decides it; say so where nobody can know whether one does.

The row comes first, then the fence: a change that is given up can never be decided otherwise.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from strangler.errors import Undecided
from strangler.takeover.engines import Blocked, LeaseLost
from strangler.takeover.refused import in_one_line
from strangler.takeover.session import DRIVER_FAULTS
from strangler.takeover.state import Outcome, OwnerRow
from strangler.takeover.switch import Step, Switch


@contextmanager
def settled(switch: Switch) -> Iterator[None]:
    """Give the change up where the block fails and did not decide it. While it lasts nobody may write.

    Raises Undecided where nobody can tell, or where it is decided and a database is lost before all is done.
    """
    with switch.strictly():
        try:
            yield
        except LeaseLost:
            raise  # another coordinator decides now
        except Exception as failure:
            try:
                abort(switch)
            except LeaseLost:  # then the row is there already: it was decided, or another decides
                if isinstance(failure, DRIVER_FAULTS):
                    _tell_decided(switch, failure)
            raise


def _tell_decided(switch: Switch, failure: Exception) -> None:
    decided = (
        row.epoch == switch.epoch and row.outcome is Outcome.COMMITTED
        for row in switch.new.owners(switch.name)
    )
    if any(decided):
        raise Undecided(
            f"epoch {switch.epoch} of {switch.name!r} is decided: the {switch.to} owns. A database did not"
            f" answer before all else was done ({in_one_line(failure)})",
            next=f"strangler takeover resume {switch.name}        (once it answers)",
        ) from None


def abort(switch: Switch) -> None:
    """Give the change up, if it was not decided: the row first, then the fence. Raises Undecided."""
    row = OwnerRow(switch.epoch, switch.to, Outcome.ABORTED)
    try:
        with switch.strictly(), switch.new.transaction(switch.leases.of(switch.to)) as into:
            first = into.decide(row, "coordinator")
    except (*DRIVER_FAULTS, Blocked) as fault:
        raise Undecided(
            f"the database of the owner-to-be does not answer ({in_one_line(fault)}), so nobody knows whether"
            f" epoch {switch.epoch} of {switch.name!r} was decided; the fence stays up and nobody may write",
            next=f"strangler takeover resume {switch.name}        (once it answers)",
        ) from None
    if first:
        switch.reached(Step.ABORTED)
        reopen(switch)


def reopen(switch: Switch) -> None:
    """Lift the fence of an aborted change. Safe to run again. Raises Undecided where no row says so."""
    aborted = OwnerRow(switch.epoch, switch.to, Outcome.ABORTED)
    if aborted not in switch.new.owners(switch.name):
        raise Undecided(
            f"epoch {switch.epoch} of {switch.name!r} was not aborted; its fence stays up",
            next=f"strangler takeover resume {switch.name}",
        )

    def lift(wait: float) -> None:
        with switch.old.transaction(switch.leases.of(switch.origin), wait=wait) as into:
            into.lift_fence(switch.flow.sources)

    try:
        with switch.strictly():
            switch.patience.insist(switch.name, lift)
    except DRIVER_FAULTS as fault:
        raise Undecided(
            f"epoch {switch.epoch} of {switch.name!r} was given up, but the {switch.origin}'s database does"
            f" not answer ({in_one_line(fault)}): where it has its fence already, nobody may write",
            next=f"strangler takeover resume {switch.name}        (once it answers)",
        ) from None
    switch.reached(Step.REOPENED)
