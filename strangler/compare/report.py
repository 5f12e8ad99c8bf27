"""Summarise a store: each route's verdicts, how sure they make us, what was found. Pure but for `read`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from strangler.compare.bound import upper_bound
from strangler.compare.findings import Subject
from strangler.compare.reading import Reader
from strangler.compare.remedies import remedy, settling_rule
from strangler.compare.store import Count, Found
from strangler.compare.verdict import Verdict
from strangler.errors import NothingCompared

Document = dict[str, object]


@dataclass(frozen=True)
class RouteReport:
    """One route at one stage of the table."""

    route: str
    stage: str
    counts: Mapping[Verdict, int]
    first_at: float
    last_at: float
    findings: tuple[Found, ...]

    @property
    def compared(self) -> int:
        """How many requests both sides answered: everything but INFRA."""
        return sum(n for verdict, n in self.counts.items() if verdict is not Verdict.INFRA)

    @property
    def diffs(self) -> int:
        """How many were a DIFF."""
        return self.counts.get(Verdict.DIFF, 0)

    @property
    def rate(self) -> float:
        """The share of DIFF; 0.0 when nothing was compared."""
        return self.diffs / self.compared if self.compared else 0.0

    @property
    def bound(self) -> float:
        """The upper 95 % bound of that share."""
        return upper_bound(self.diffs, self.compared)

    def about(self, subject: Subject) -> tuple[Found, ...]:
        """Return the findings on one subject, the most frequent first."""
        return tuple(found for found in self.findings if found.finding.subject is subject)


@dataclass(frozen=True)
class Report:
    """Every route that was compared, and what the comparer itself could not use."""

    routes: tuple[RouteReport, ...]
    faults: Mapping[str, int]

    @property
    def has_differences(self) -> bool:
        """Whether any route has a DIFF."""
        return any(route.diffs for route in self.routes)


def read(path: Path, route: str | None = None) -> Report:
    """Return the report of a store, or of one route in it. Raises NoStore, ForeignStore, NothingCompared."""
    with Reader(path) as reader:
        report = summarise(reader.counts(), reader.findings(), reader.faults())
    return _only(report, route)


def verdict_counts(path: Path) -> Mapping[str, Mapping[Verdict, int]]:
    """Return for each route its verdicts over all stages; nothing when there is no store yet."""
    totals: dict[str, dict[Verdict, int]] = {}
    if path.is_file():
        with Reader(path) as reader:
            for count in reader.counts():
                verdicts = totals.setdefault(count.route, {})
                verdicts[count.verdict] = verdicts.get(count.verdict, 0) + count.n
    return totals


def summarise(counts: Iterable[Count], findings: Iterable[Found], faults: Mapping[str, int]) -> Report:
    """Group what a store holds by route and stage."""
    grouped: dict[tuple[str, str], list[Count]] = {}
    for count in counts:
        grouped.setdefault((count.route, count.stage), []).append(count)
    found: dict[tuple[str, str], list[Found]] = {}
    for each in findings:
        found.setdefault((each.route, each.stage), []).append(each)
    return Report(tuple(_route(*key, grouped[key], found.get(key, [])) for key in sorted(grouped)), faults)


def document(report: Report) -> Document:
    """Return the report as plain data for JSON."""
    return {"routes": [_route_document(route) for route in report.routes], "faults": dict(report.faults)}


def _route(route: str, stage: str, counts: list[Count], findings: list[Found]) -> RouteReport:
    return RouteReport(
        route,
        stage,
        {count.verdict: count.n for count in counts},
        min(count.first_at for count in counts),
        max(count.last_at for count in counts),
        tuple(findings),
    )


def _only(report: Report, route: str | None) -> Report:
    if not report.routes:
        raise NothingCompared(
            "the store is empty; a comparison is wanted", next="strangler flip ROUTE shadow"
        )
    chosen = tuple(each for each in report.routes if route in (None, each.route))
    if chosen:
        return Report(chosen, report.faults)
    names = sorted({each.route for each in report.routes})
    near = get_close_matches(route or "", names) or names[:5]
    raise NothingCompared(
        f"no comparison of {route!r}; there are some of {', '.join(near)}",
        next=f"strangler compare report --route {near[0]}",
    )


def _route_document(report: RouteReport) -> Document:
    return {
        "route": report.route,
        "stage": report.stage,
        "counts": {verdict.value: report.counts.get(verdict, 0) for verdict in Verdict},
        "compared": report.compared,
        "diff_rate": report.rate,
        "diff_rate_upper_95": report.bound,
        "first_at": report.first_at,
        "last_at": report.last_at,
        "findings": [_found_document(found) for found in report.findings],
    }


def _found_document(found: Found) -> Document:
    return {
        "subject": found.finding.subject.value,
        "name": found.finding.name,
        "path": found.finding.pattern,
        "count": found.n,
        "example": found.example,
        "remedy": remedy(found.finding),
        "rule": settling_rule(found),
    }
