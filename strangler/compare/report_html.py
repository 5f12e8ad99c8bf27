"""Write a report as one HTML file that needs nothing else. Pure; the sheets have their secrets masked."""

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from strangler.compare.findings import Subject
from strangler.compare.remedies import remedy, settling_rule
from strangler.compare.report import Report, RouteReport
from strangler.compare.show import Row, Sheet, near_marks
from strangler.compare.store import Found
from strangler.compare.verdict import Verdict

TITLES = {
    Subject.DIFFERENCE: "Differences",
    Subject.OBSTACLE: "Not comparable because",
    Subject.OUTAGE: "No answer",
    Subject.EXPECTED: "Forgiven by a rule",
    Subject.WARNING: "Warnings",
}
_CLASSES = {"≠": " marked", "~": " forgiven", "": ""}


@dataclass(frozen=True)
class Item:
    """A finding with its example, where one is kept."""

    found: Found
    advice: str
    rule: str
    sheet: Sheet | None
    rows: tuple[Row, ...]
    classes: Mapping[str, str]


@dataclass(frozen=True)
class Group:
    """The findings of one subject."""

    subject: str
    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class RoutePage:
    """One route at one stage: verdicts with their share in percent, and what was found."""

    report: RouteReport
    shares: tuple[tuple[str, int, float], ...]
    groups: tuple[Group, ...]


def write(report: Report, sheets: Mapping[int, Sheet], made_at: str) -> str:
    """Return the page. `sheets` are the kept examples by their numbers."""
    environment = Environment(
        loader=PackageLoader("strangler.compare", ""), autoescape=True, undefined=StrictUndefined
    )
    template = environment.get_template("report.html.j2")
    routes = [_route(route, sheets) for route in report.routes]
    return template.render(routes=routes, faults=report.faults, made_at=made_at)


def _route(report: RouteReport, sheets: Mapping[int, Sheet]) -> RoutePage:
    total = sum(report.counts.values()) or 1
    counts = [(verdict.value, report.counts.get(verdict, 0)) for verdict in Verdict]
    groups = (
        Group(subject.value, title, tuple(_item(found, sheets) for found in report.about(subject)))
        for subject, title in TITLES.items()
    )
    return RoutePage(
        report,
        tuple((name, n, round(100 * n / total, 2)) for name, n in counts),
        tuple(group for group in groups if group.items),
    )


def _item(found: Found, sheets: Mapping[int, Sheet]) -> Item:
    sheet = sheets.get(found.example) if found.example is not None else None
    rows = tuple(near_marks(sheet.rows)) if sheet else ()
    return Item(found, remedy(found.finding), settling_rule(found), sheet, rows, _CLASSES)
