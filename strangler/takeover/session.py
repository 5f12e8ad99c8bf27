"""One takeover with both its databases open: who owns, which way rows flow, who holds the lease."""

import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import psycopg

from proxy.routes import Group, Owner, RouteTable
from strangler.errors import (
    CoordinatorBusy,
    NotStarted,
    SourceUnreachable,
    TargetUnreachable,
    UnknownGroup,
    WrongOwner,
)
from strangler.takeover.address import MONOLITH, Address, address_of
from strangler.takeover.carrying import carrier_between
from strangler.takeover.engines import Blocked, Engine, Store
from strangler.takeover.flow import Flow
from strangler.takeover.postgres import PostgresStore
from strangler.takeover.shape import Pair
from strangler.takeover.sqlite import SqliteStore
from strangler.takeover.state import Lease, Note, OwnerRow, Ownership, ownership

DRIVER_FAULTS = (sqlite3.Error, psycopg.Error)
COORDINATOR, SYNC = "coordinator", "sync"
FOLLOWER = "the follower, "
LEASE_SECONDS = 20.0
LOOK_AGAIN = 0.02


@dataclass(frozen=True, slots=True)
class Leases:
    """The right to apply and decide, in each database."""

    monolith: Lease
    service: Lease

    def of(self, owner: Owner) -> Lease:
        """Return the lease in one side's database."""
        return self.service if owner is Owner.SERVICE else self.monolith


@dataclass(frozen=True, slots=True)
class Databases:
    """Both databases of a group, open."""

    group: Group
    monolith: Store
    service: Store
    monolith_at: str
    service_at: str

    def store(self, owner: Owner) -> Store:
        """Return one side's database."""
        return self.service if owner is Owner.SERVICE else self.monolith

    def rows(self) -> list[OwnerRow]:
        """Return every row that decides an epoch, of both databases."""
        return [*self.monolith.owners(self.group.name), *self.service.owners(self.group.name)]

    def ownership(self) -> Ownership | None:
        """Return who owns, None before the takeover was started."""
        return ownership(self.rows())

    def started(self) -> Ownership:
        """Return who owns. Raises NotStarted."""
        known = self.ownership()
        if known is None:
            raise NotStarted(
                f"no takeover of group {self.group.name!r} was started; wanted its tables copied"
                " and followed",
                next=f"strangler takeover start {self.group.name} --execute",
            )
        return known

    def refuse_retired(self) -> None:
        """Raise WrongOwner where the service owns for good."""
        if self.service.read_note(self.group.name, Note.RETIRED) is not None:
            raise WrongOwner(
                f"group {self.group.name!r} is retired: its service owns it for good; wanted one that is not",
                next=f"strangler takeover status {self.group.name}",
            )

    def coordinate(self, pause: Callable[[float], None] = time.sleep) -> None:
        """Claim to be the one at work, until that is given up. Raises CoordinatorBusy, naming who is.

        The follower, which claims the same for as long as it takes its leases, is waited for.
        """
        before = ""
        for _ in range(round(LEASE_SECONDS / LOOK_AGAIN)):
            holder = self._claim(COORDINATOR, process())
            if holder is None:
                return
            # Who has only just come may not have said yet who it is: twice the same is an answer.
            if holder and holder == before and FOLLOWER not in holder:
                break
            before = holder
            pause(LOOK_AGAIN)
        raise self._busy(before)

    def follow(self) -> None:
        """Claim to be the follower, until the databases are closed. Raises CoordinatorBusy, naming who is."""
        holder = self._claim(SYNC, FOLLOWER + process())
        if holder is not None:
            raise self._busy(holder)

    @contextmanager
    def nobody_at_work(self) -> Iterator[bool]:
        """Keep coordinators out for a moment, as the follower; yield False where one is at work already."""
        if self._claim(COORDINATOR, FOLLOWER + process()) is not None:
            yield False
            return
        try:
            yield True
        finally:
            self.give_up()

    def give_up(self) -> None:
        """Let others coordinate."""
        self.service.give_up(f"{self.group.name}.{COORDINATOR}")

    def _claim(self, role: str, who: str) -> str | None:
        return self.service.claim(f"{self.group.name}.{role}", who)

    def _busy(self, holder: str) -> CoordinatorBusy:
        who, group = holder or "another process", self.group.name
        return CoordinatorBusy(
            f"{who} is at work on the takeover of {group!r}; wanted one at a time",
            next=f"strangler takeover status {group}",
        )

    def take_leases(self, wait: float = LEASE_SECONDS) -> Leases:
        """Take the lease in both databases; whoever had it is refused at his next transaction.

        Raises CoordinatorBusy where he is in one that does not end in `wait` seconds, as when he was stopped.
        """
        token, holder = secrets.token_hex(8), process()
        name = self.group.name
        try:
            return Leases(
                self.monolith.take_lease(name, token, holder, wait=wait),
                self.service.take_lease(name, token, holder, wait=wait),
            )
        except Blocked as blocked:
            holders = "\n     ".join(blocked.holders) or "it ended just now"
            raise CoordinatorBusy(
                f"a step of the takeover of {name!r} is under way and did not end in {wait:g} s; nothing was"
                f" changed. It is:\n     {holders}",
                next="end that transaction, then run the same command again",
            ) from None


@dataclass(frozen=True, slots=True)
class Takeover:
    """Both databases with the pairs of tables between them, from the monolith's to the service's."""

    databases: Databases
    pairs: tuple[Pair, ...]

    @property
    def name(self) -> str:
        """The group's name."""
        return self.databases.group.name

    def flow(self, owner: Owner) -> Flow:
        """Return the way from the owner's database to the other's."""
        forward = owner is Owner.MONOLITH
        source = self.databases.store(owner)
        target = self.databases.store(other(owner))
        pairs = self.pairs if forward else tuple(pair.reversed() for pair in self.pairs)
        return Flow(self.name, source, target, pairs, carrier_between(source.engine, target.engine))


def process() -> str:
    """Return how this process is named to others."""
    return f"pid {os.getpid()}"


def other(owner: Owner) -> Owner:
    """Return the other side."""
    return Owner.MONOLITH if owner is Owner.SERVICE else Owner.SERVICE


def find_group(routes: RouteTable, name: str) -> Group:
    """Return a group by name. Raises UnknownGroup, which names near ones."""
    if name in routes.groups:
        return routes.groups[name]
    near = get_close_matches(name, routes.groups, 3, cutoff=0.5) or list(routes.groups)
    raise UnknownGroup(
        f"there is no group {name!r}; the routing table has {', '.join(near) or 'none'}",
        next="strangler routes",
    )


@contextmanager
def open_databases(group: Group, environ: Mapping[str, str], var: Path) -> Iterator[Databases]:
    """Open both databases. Raises SourceUnreachable or TargetUnreachable."""
    monolith_at = address_of(MONOLITH, environ, var)
    service_at = address_of(group.service, environ, var)
    with (
        _opened(monolith_at, "the monolith's database", SourceUnreachable) as monolith,
        _opened(service_at, "the service's database", TargetUnreachable) as service,
    ):
        yield Databases(group, monolith, service, monolith_at.shown, service_at.shown)


@contextmanager
def _opened(
    address: Address, whose: str, refusal: type[SourceUnreachable | TargetUnreachable]
) -> Iterator[Store]:
    try:
        store: Store = (
            SqliteStore(address.place) if address.engine is Engine.SQLITE else PostgresStore(address.place)
        )
    except DRIVER_FAULTS as fault:
        said = str(fault).strip().splitlines()[0]
        raise refusal(
            f"{whose} at {address.shown} does not open: {said}; wanted the address in {address.variable}",
            next=f"export {address.variable}=URL",
        ) from None
    try:
        yield store
    finally:
        store.close()
