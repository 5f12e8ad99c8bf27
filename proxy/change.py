"""What makes one version of a routing table another, worked out once and sent to every worker. Pure.

Who changes a table has read and checked both versions anyway. A worker that serves the first becomes one that
serves the second by replacing these values, however many routes the table has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from proxy.routes import MONOLITH, Group, Route, RouteTable, Upstream

T = TypeVar("T", Upstream, Group, Route)


@dataclass(frozen=True, slots=True)
class TableChange:
    """From version `base` to `version`: what is new or another under its name, and which names are gone."""

    base: str
    version: str
    upstreams: tuple[Upstream, ...] = ()
    groups: tuple[Group, ...] = ()
    routes: tuple[Route, ...] = ()
    gone_upstreams: tuple[str, ...] = ()
    gone_groups: tuple[str, ...] = ()
    gone_routes: tuple[str, ...] = ()


def change_between(before: RouteTable, after: RouteTable) -> TableChange:
    """Return what makes one table the other."""
    return TableChange(
        base=before.version,
        version=after.version,
        upstreams=_replaced(before.upstreams, after.upstreams),
        groups=_replaced(before.groups, after.groups),
        routes=_replaced(before.routes, after.routes),
        gone_upstreams=_gone(before.upstreams, after.upstreams),
        gone_groups=_gone(before.groups, after.groups),
        gone_routes=_gone(before.routes, after.routes),
    )


def changed_table(table: RouteTable, change: TableChange) -> RouteTable:
    """Return the table that a change makes of its base. `table` must be of that version."""
    assert table.version == change.base
    return RouteTable(
        change.version,
        _merged(table.upstreams, change.upstreams, change.gone_upstreams),
        _merged(table.groups, change.groups, change.gone_groups),
        _merged(table.routes, change.routes, change.gone_routes),
    )


def touched_routes(table: RouteTable, change: TableChange) -> Mapping[str, Route]:
    """Return the routes of the changed `table` that are new, or whose group or upstream is another."""
    touched = {route.name: route for route in change.routes}
    upstreams = {upstream.name for upstream in change.upstreams}
    groups = {group.name for group in change.groups}
    groups |= {group.name for group in table.groups.values() if group.service in upstreams}
    if groups or MONOLITH in upstreams:
        everywhere = MONOLITH in upstreams
        touched |= {n: route for n, route in table.routes.items() if everywhere or route.group in groups}
    return touched


def _replaced(before: Mapping[str, T], after: Mapping[str, T]) -> tuple[T, ...]:
    return tuple(value for name, value in after.items() if before.get(name) != value)


def _gone(before: Mapping[str, T], after: Mapping[str, T]) -> tuple[str, ...]:
    return tuple(before.keys() - after.keys())


def _merged(before: Mapping[str, T], new: tuple[T, ...], gone: tuple[str, ...]) -> Mapping[str, T]:
    if not new and not gone:
        return before
    merged = dict(before)
    for name in gone:
        del merged[name]
    merged.update((value.name, value) for value in new)
    return MappingProxyType(merged)
