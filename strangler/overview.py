"""Put together what is known of every route: the table, the verdicts, the last move. Read-only."""

from collections.abc import Mapping
from dataclasses import dataclass

from proxy.routes import Owner, Stage
from strangler.audit import NOT_IN_FORCE, Action, Audit, Chain, Line
from strangler.evidence import verdict_counts
from strangler.installation import Installation
from strangler.steps import Position
from strangler.table_file import read_table


@dataclass(frozen=True)
class LastMove:
    """The newest recorded move of a route."""

    at: str
    who: str
    action: Action
    origin: Position | None
    target: Position | None


@dataclass(frozen=True)
class RouteRow:
    """One route with everything a person asks about it. `verdicts` is empty where nothing was compared."""

    name: str
    path: str
    methods: tuple[str, ...]
    group: str
    stage: Stage
    percent: float
    owner: Owner
    verdicts: Mapping[str, int]
    last: LastMove | None


@dataclass(frozen=True)
class RouteList:
    """Every route of one version of the table."""

    version: str
    routes: tuple[RouteRow, ...]


def list_routes(place: Installation) -> RouteList:
    """Return every route of the table as it stands in the file."""
    table = read_table(place.table).table
    verdicts = verdict_counts(place.verdicts)
    chain = Audit(place.audit).read()
    rows = tuple(
        RouteRow(
            name=route.name,
            path=route.path,
            methods=route.methods,
            group=route.group,
            stage=route.stage,
            percent=route.percent,
            owner=table.groups[route.group].owner,
            verdicts=verdicts.get(route.name, {}),
            last=last_move(chain, route.name),
        )
        for route in table.routes.values()
    )
    return RouteList(table.version, rows)


def last_move(chain: Chain, route: str) -> LastMove | None:
    """Return a route's newest move that was made, None when none is recorded."""
    for change in reversed(tuple(chain.changes)):
        if change.record.route == route and not _abandoned(chain, change):
            record = change.record
            return LastMove(record.at, record.who, record.action, record.origin, record.target)
    return None


def _abandoned(chain: Chain, change: Line) -> bool:
    outcome = chain.outcome_of(change)
    return outcome is not None and outcome.outcome in NOT_IN_FORCE
