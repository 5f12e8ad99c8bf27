"""Who was seen to write a group's tables, and which of them a cutover takes along. Pure.

A request reaches the service once its route has moved. Everybody else goes on writing in the monolith, where
the fence refuses it: commands, jobs, the admin, whoever has a connection of their own.
"""

import shlex
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from proxy.decide import Router
from proxy.match import BadPath, canonical_path
from proxy.routes import SAFE_METHODS, RouteTable
from strangler.errors import UnknownWriter, WritersRemain

REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Seen:
    """One writer of one table. `process` is what its Django said, empty where it said nothing.

    `times` counts it once in ten seconds; `first` and `last` are UTC in ISO form.
    """

    table: str
    process: str
    role: str
    application: str
    address: str
    times: int
    first: str
    last: str

    @property
    def name(self) -> str:
        """What `--known` calls it: the process, else what the database knows of its connection."""
        if self.process or not self.role:
            return self.process or "somebody"
        return f"{self.application or 'somebody'} as {self.role} from {self.address}"


@dataclass(frozen=True, slots=True)
class Writer:
    """One writer of a group's tables, by name. `route` is the writing route that takes it along, if any."""

    name: str
    route: str | None
    seen: tuple[Seen, ...]


def writers(routes: RouteTable, group: str, seen: Iterable[Seen]) -> tuple[Writer, ...]:
    """Return everybody who was seen to write, by name, those without a route first."""
    router = Router(routes)
    by_name: dict[str, list[Seen]] = {}
    for each in seen:
        by_name.setdefault(each.name, []).append(each)
    found = [Writer(name, _route(router, group, name), tuple(rows)) for name, rows in by_name.items()]
    return tuple(sorted(found, key=lambda writer: (writer.route is not None, writer.name)))


def require_no_other_writers(
    group: str, found: Collection[Writer], known: Collection[str], *, forced: bool
) -> None:
    """Refuse a cutover that leaves writers behind. Raises WritersRemain, UnknownWriter."""
    names = [writer.name for writer in found]
    for name in known:
        if name not in names:
            near = get_close_matches(name, names, 3, cutoff=0.5) or names
            raise UnknownWriter(
                f"no writer {name!r} was seen at the tables of {group!r}; seen were"
                f" {', '.join(map(repr, near)) or 'none'}",
                next=f"strangler takeover writers {group}",
            )
    left = [writer for writer in found if writer.route is None and writer.name not in known]
    if left and not forced:
        listed = "\n     ".join(in_words(writer) for writer in left)
        named = " ".join(f"--known {shlex.quote(name)}" for name in (*known, *(one.name for one in left)))
        raise WritersRemain(
            f"{len(left)} writer(s) of {group!r} go through none of its writing routes, and the fence would"
            f" refuse them:\n     {listed}\n     wanted each of them stopped, moved, or acknowledged by name",
            next=f"strangler takeover cutover {group} {named}",
        )


def in_words(writer: Writer) -> str:
    """Return a writer with its tables and connections, on one line."""
    tables = ", ".join(sorted({seen.table for seen in writer.seen}))
    last = max(seen.last for seen in writer.seen)
    said = f"{writer.name}: {tables}, last {last}"
    connections = sorted(
        {
            f"{one.application or 'somebody'} as {one.role} from {one.address}"
            for one in writer.seen
            if one.role
        }
    )
    return f"{said} ({'; '.join(connections)})" if connections else said


def _route(router: Router, group: str, name: str) -> str | None:
    """Return the group's route that a writing request belongs to; a GET that writes has none that moves."""
    kind, _, rest = name.partition(" ")
    method, _, path = rest.partition(" ")
    if kind != REQUEST or not path or method in SAFE_METHODS:
        return None
    try:
        route = router.find(method.encode(), canonical_path(path.encode()))
    except BadPath:
        return None
    return route.name if route is not None and route.group == group and route.writes else None
