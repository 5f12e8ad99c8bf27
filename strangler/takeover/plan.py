"""`takeover plan`: say everything that stands in the way, and how much would move. Read-only."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from proxy.routes import RouteTable
from strangler.takeover.fitness import fitness
from strangler.takeover.mapping import Mapping as TableMappings
from strangler.takeover.session import find_group, open_databases
from strangler.takeover.shape import Pair


@dataclass(frozen=True, slots=True)
class PlannedTable:
    """A table that fits: what the service calls it and its parts, its key, its rows."""

    table: str
    into: str
    key: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was found about one table; what `blocks` must be put right first."""

    table: str
    found: str
    wanted: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What `takeover plan` found."""

    group: str
    source: str
    target: str
    tables: tuple[PlannedTable, ...]
    findings: tuple[Said, ...]

    @property
    def possible(self) -> bool:
        """Whether nothing blocks."""
        return not any(finding.blocks for finding in self.findings)


def plan(
    routes: RouteTable,
    name: str,
    environ: Mapping[str, str],
    var: Path,
    mappings: TableMappings | None = None,
) -> PlanReport:
    """Look at both schemas. Raises Refused only where there is nothing to look at."""
    with open_databases(find_group(routes, name), environ, var) as databases:
        found = fitness(databases, mappings or TableMappings())
        with databases.monolith.snapshot() as moment:
            tables = tuple(
                PlannedTable(pair.table, _into(pair), pair.key, moment.count(pair.source))
                for pair in found.pairs
            )
        said = tuple(Said(each.table, each.found, each.wanted, each.blocks) for each in found.findings)
        return PlanReport(name, databases.monolith_at, databases.service_at, tables, said)


def _into(pair: Pair) -> str:
    return ", ".join(shape.table for shape in pair.target.tables)
