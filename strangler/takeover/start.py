"""`takeover start`: copy a group's tables, once, from the monolith's database to the service's.

One read snapshot there, one transaction here; verified before it is committed. Killed at any point, the
target is as it was. Without `execute` everything is checked and counted and nothing is written.
"""

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
    AlreadyOwner,
    ColumnsDiffer,
    CopyDiffers,
    NoPrimaryKey,
    SourceUnreachable,
    TableMissing,
    TargetRefusedRows,
    TargetUnreachable,
    UnknownGroup,
)
from strangler.takeover.address import MONOLITH, Address, address_of
from strangler.takeover.copying import Channel, channel_between
from strangler.takeover.engines import Engine, Source, Target
from strangler.takeover.postgres import PostgresSource, PostgresTarget
from strangler.takeover.shape import Pair, Shape, parents_first
from strangler.takeover.sqlite import SqliteSource, SqliteTarget

# Ids left unused between the monolith's last one and the service's first: what the monolith gives out while
# the copy is checked can then never meet one the service gives out.
ID_GAP = 1000

DRIVER_FAULTS = (sqlite3.Error, psycopg.Error)


@dataclass(frozen=True, slots=True)
class TableCopy:
    """One table: the rows to copy, the rows they replace, and what the copy took where there was one."""

    table: str
    rows: int
    replaced: int
    seconds: float
    digest: str

    @property
    def rate(self) -> float:
        """Rows a second, verification included."""
        return self.rows / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class StartReport:
    """What `takeover start` did, or would do."""

    group: str
    source: str
    target: str
    executed: bool
    tables: tuple[TableCopy, ...]


def start(
    routes: RouteTable,
    name: str,
    environ: Mapping[str, str],
    var: Path,
    *,
    execute: bool,
    clock: Callable[[], float] = time.perf_counter,
) -> StartReport:
    """Copy the tables of group `name`, or say what would be copied. Raises Refused, then nothing changed.

    One transaction on the target. Safe to run again: what was there is replaced.
    """
    group = _group(routes, name)
    source_address = address_of(MONOLITH, environ, var)
    target_address = address_of(group.service, environ, var)
    with _source(source_address) as source, _target(target_address) as target:
        channel = channel_between(source, target)
        pairs = parents_first(_pair(table, source, target) for table in group.tables)
        with _telling_rows_refused(target_address):
            copies = _carry(Copier(source, target, channel, clock, execute), pairs)
    return StartReport(name, source_address.shown, target_address.shown, execute, copies)


@dataclass(frozen=True, slots=True)
class Copier:
    """Everything a table needs to get across."""

    source: Source
    target: Target
    channel: Channel
    clock: Callable[[], float]
    execute: bool


def _group(routes: RouteTable, name: str) -> Group:
    if name not in routes.groups:
        near = get_close_matches(name, routes.groups, 3, cutoff=0.5) or list(routes.groups)
        raise UnknownGroup(
            f"there is no group {name!r}; the routing table has {', '.join(near) or 'none'}",
            next="strangler routes",
        )
    group = routes.groups[name]
    if group.owner is Owner.SERVICE:
        raise AlreadyOwner(
            f"group {name!r} is owned by its service; a copy from the monolith would overwrite newer rows, "
            "wanted owner 'monolith'",
            next="strangler routes",
        )
    return group


@contextmanager
def _source(address: Address) -> Iterator[Source]:
    try:
        source = (
            SqliteSource(address.place) if address.engine is Engine.SQLITE else PostgresSource(address.place)
        )
    except DRIVER_FAULTS as fault:
        raise SourceUnreachable(
            _unreachable("the monolith's database", address, fault), next=f"export {address.variable}=URL"
        ) from None
    with source:
        yield source


@contextmanager
def _target(address: Address) -> Iterator[Target]:
    try:
        target = (
            SqliteTarget(address.place) if address.engine is Engine.SQLITE else PostgresTarget(address.place)
        )
    except DRIVER_FAULTS as fault:
        raise TargetUnreachable(
            _unreachable("the service's database", address, fault), next=f"export {address.variable}=URL"
        ) from None
    with target:
        yield target


def _unreachable(whose: str, address: Address, fault: Exception) -> str:
    said = str(fault).strip().splitlines()[0]
    return f"{whose} at {address.shown} does not open: {said}; wanted the address in {address.variable}"


def _pair(table: str, source: Source, target: Target) -> Pair:
    pair = Pair(_shape(table, source, "monolith"), _shape(table, target, "service"))
    if pair.source.columns.keys() != pair.target.columns.keys():
        raise ColumnsDiffer(
            f"{table} has other columns in each database\n     monolith: {', '.join(pair.source.names)}"
            f"\n     service:  {', '.join(pair.target.names)}",
            next="bring both databases to the same schema, then run the same command again",
        )
    if source.engine is target.engine is Engine.POSTGRESQL and pair.source.columns != pair.target.columns:
        raise ColumnsDiffer(_other_types(pair), next="give the service's columns the monolith's types")
    return pair


def _shape(table: str, database: Source | Target, whose: str) -> Shape:
    shape = database.shape(table)
    if shape is None:
        raise TableMissing(
            f"the {whose}'s database has no table {table}; the routing table's group names it",
            next=f"run the {whose}'s migrations, then the same command again",
        )
    if not shape.key:
        raise NoPrimaryKey(
            f"{table} has no primary key in the {whose}'s database; rows cannot be told apart without one",
            next=f"give {table} a primary key",
        )
    return shape


def _other_types(pair: Pair) -> str:
    other = (
        f"{name}: monolith {pair.source.columns[name]}, service {pair.target.columns[name]}"
        for name in pair.source.names
        if pair.source.columns[name] != pair.target.columns[name]
    )
    return f"{pair.table} has columns of other types in each database\n     " + "\n     ".join(other)


def _carry(copier: Copier, pairs: list[Pair]) -> tuple[TableCopy, ...]:
    if not copier.execute:
        return tuple(_planned(copier, pair) for pair in pairs)
    copier.target.lock([pair.target for pair in pairs])
    replaced = {pair.table: copier.target.clear(pair.target) for pair in reversed(pairs)}
    copies = tuple(_copied(copier, pair, replaced[pair.table]) for pair in pairs)
    copier.target.commit()
    return copies


def _planned(copier: Copier, pair: Pair) -> TableCopy:
    rows, replaced = copier.source.count(pair.source), copier.target.count(pair.target)
    return TableCopy(pair.table, rows, replaced, seconds=0.0, digest="")


def _copied(copier: Copier, pair: Pair, replaced: int) -> TableCopy:
    started = copier.clock()
    wanted = copier.channel.copy(pair), copier.source.count(pair.source)
    found = copier.channel.digest(pair), copier.target.count(pair.target)
    if found != wanted:
        raise CopyDiffers(
            f"{pair.table} is not the same after the copy: {found[1]} rows with digest {found[0][:12]}, "
            f"wanted {wanted[1]} rows with {wanted[0][:12]}; nothing was kept",
            next="compare the column types of both databases",
        )
    copier.target.start_ids_after(pair.target, copier.source.highest_id(pair.source) + ID_GAP)
    return TableCopy(pair.table, wanted[1], replaced, copier.clock() - started, wanted[0])


@contextmanager
def _telling_rows_refused(address: Address) -> Iterator[None]:
    try:
        yield
    except DRIVER_FAULTS as fault:
        raise TargetRefusedRows(
            f"the copy to {address.shown} stopped and nothing was kept: {str(fault).strip()}",
            next="remove what it names, then run the same command again",
        ) from None
