"""A takeover of one table of any schema: the monolith writes, the service writes, and both are compared."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from proxy.routes import Owner
from strangler.takeover.cutover import cutover
from strangler.takeover.handover import Where, opened
from strangler.takeover.mapping import Mapping, TableMapping
from strangler.takeover.plan import PlanReport, plan
from strangler.takeover.rollback import rollback
from strangler.takeover.start import begin, start
from strangler.takeover.switch import Reached, nobody_cares
from strangler.takeover.verify import VerifyReport, verify
from tests.integration.takeover.sides import Sides, routes
from tests.integration.takeover.things import AT_ONCE, Following


@dataclass(frozen=True)
class Tabled:
    """Both databases, and how the table `item` differs."""

    sides: Sides
    mapping: TableMapping = field(default_factory=TableMapping)
    tables: tuple[str, ...] = ("item",)
    reached: Reached = nobody_cares

    @property
    def where(self) -> Where:
        """Return what the verbs take."""
        return Where(
            routes(tables=self.tables),
            "catalog",
            self.sides.environ,
            self.sides.var,
            mappings=Mapping({"item": self.mapping}),
            patience=AT_ONCE,
            reached=self.reached,
        )

    def plan(self) -> PlanReport:
        """Look at both schemas."""
        at = self.where
        return plan(at.routes, at.group, at.environ, at.var, at.mappings)

    def start(self) -> None:
        """Copy everything."""
        at = self.where
        start(at.routes, at.group, at.environ, at.var, execute=True, mappings=at.mappings, patience=AT_ONCE)

    def verify(self) -> VerifyReport:
        """Read everything on both sides."""
        at = self.where
        return verify(at.routes, at.group, at.environ, at.var, mappings=at.mappings, again=True)

    def cutover(self) -> None:
        """Let the service own."""
        cutover(self.where, execute=True)

    def rollback(self) -> None:
        """Let the monolith own."""
        rollback(self.where, execute=True)

    def follow(self, owner: Owner) -> None:
        """Let the other side follow to the end."""
        with self.opened() as following:
            following.settle(owner)

    @contextmanager
    def begun(self) -> Iterator[Following]:
        """Open the takeover, begun, with chunks of two rows."""
        with opened(self.where) as takeover:
            begin(takeover, AT_ONCE)
            yield Following(takeover, takeover.databases.take_leases())

    @contextmanager
    def opened(self) -> Iterator[Following]:
        """Open the takeover as it is."""
        with opened(self.where) as takeover:
            yield Following(takeover, takeover.databases.take_leases())
