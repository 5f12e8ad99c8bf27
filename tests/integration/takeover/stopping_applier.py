"""An applier that stops itself (SIGSTOP) in the middle of a step; woken too late it ends with exit code 7."""

import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from proxy.routes import Owner
from strangler.takeover.carrying import Carrier
from strangler.takeover.engines import LeaseLost, Snapshot
from strangler.takeover.flow import step_to
from strangler.takeover.handover import opened
from tests.integration.takeover.sides import Side, Sides
from tests.integration.takeover.things import Things

LOST = 7


@dataclass
class Stopping:
    """A carrier that stops the process when rows are to be inserted, the old ones being deleted."""

    carrier: Carrier

    def delete(self, into, pair, keys):
        return self.carrier.delete(into, pair, keys)

    def insert(self, into, pair, rows):
        os.kill(os.getpid(), signal.SIGSTOP)
        return self.carrier.insert(into, pair, rows)


@dataclass
class StoppingMoment:
    """A moment whose reader stops the process once it knows what has changed, before it writes anything."""

    moment: Snapshot

    def __getattr__(self, name):
        return getattr(self.moment, name)

    def changes(self, shapes, since):
        changed = self.moment.changes(shapes, since)
        os.kill(os.getpid(), signal.SIGSTOP)
        return changed


def main(source: str, target: str, var: str, where: str) -> int:
    """Take one step of a takeover; stop `before` its transaction or `inside` it."""
    things = Things(Sides(Side(source), Side(target), Path(var)))
    with opened(things.where) as takeover:
        leases = takeover.databases.take_leases()
        flow = takeover.flow(Owner.MONOLITH)
        with flow.source.snapshot() as moment:
            if where == "inside":
                flow = replace(flow, carrier=Stopping(flow.carrier))
            try:
                step_to(flow, leases.service, StoppingMoment(moment) if where == "before" else moment)
            except LeaseLost:
                return LOST
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
