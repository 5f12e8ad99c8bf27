"""Read from the monolith's database who was noted to write a takeover's tables. Read-only."""

from dataclasses import dataclass

from proxy.routes import Owner, RouteTable
from strangler.takeover.seen import Writer, writers
from strangler.takeover.session import Takeover


@dataclass(frozen=True, slots=True)
class Noted:
    """Who was seen to write; `noting`: whether whoever writes now will be seen too."""

    noting: bool
    writers: tuple[Writer, ...]


def noted(takeover: Takeover, routes: RouteTable) -> Noted:
    """Return who was noted, since noting was last started."""
    shapes = takeover.flow(Owner.MONOLITH).sources
    with takeover.databases.monolith.snapshot() as moment:
        found = writers(routes, takeover.name, moment.writers_seen(takeover.name))
        return Noted(moment.notes_writers(shapes), found)
