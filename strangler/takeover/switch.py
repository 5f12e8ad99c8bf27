"""One change of owner: its two sides, its leases, the steps it goes through. Decides nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from proxy.routes import Owner
from strangler.takeover.engines import Store
from strangler.takeover.flow import Flow
from strangler.takeover.gateway import Gateway
from strangler.takeover.patience import Patience
from strangler.takeover.session import Leases, Takeover, other


class Step(StrEnum):
    """Where a change of owner is, in the order in which it happens."""

    ARM = "arm"
    ARMED = "armed"
    HELD = "held"
    FENCED = "fenced"
    DRAINED = "drained"
    COMMITTED = "committed"
    ADOPTED = "adopted"
    ROUTED = "routed"
    RELEASED = "released"
    ABORTED = "aborted"
    REOPENED = "reopened"


Reached = Callable[[Step], None]


def nobody_cares(_step: Step) -> None:
    """Hear of a step and do nothing."""


@dataclass(frozen=True, slots=True)
class Timed:
    """When each step was reached, in seconds from the first."""

    step: Step
    seconds: float


@dataclass(frozen=True, slots=True)
class Switch:
    """One change of owner, from `origin` to the other side, at `epoch`."""

    takeover: Takeover
    leases: Leases
    origin: Owner
    epoch: int
    gateway: Gateway
    patience: Patience = field(default_factory=Patience)
    reached: Reached = nobody_cares

    @property
    def name(self) -> str:
        """The group's name."""
        return self.takeover.name

    @property
    def to(self) -> Owner:
        """The owner-to-be."""
        return other(self.origin)

    @property
    def flow(self) -> Flow:
        """The way that rows went until now."""
        return self.takeover.flow(self.origin)

    @property
    def old(self) -> Store:
        """The database that gives the ownership away."""
        return self.takeover.databases.store(self.origin)

    @property
    def new(self) -> Store:
        """The database that gets it."""
        return self.takeover.databases.store(self.to)

    @contextmanager
    def strictly(self) -> Iterator[None]:
        """Take a database for gone, until the block ends, that is silent for longer than is bearable now."""
        with self.old.strictly(self.patience.silence), self.new.strictly(self.patience.silence):
            yield
