"""Write a report for a person at a terminal or in a log. Effects: the console it is given."""

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from strangler.compare.findings import Finding, Subject
from strangler.compare.remedies import remedy, settling_verb
from strangler.compare.report import Report, RouteReport
from strangler.compare.store import Found
from strangler.compare.verdict import Verdict

_STYLES = {
    Verdict.MATCH: "green",
    Verdict.EXPECTED: "cyan",
    Verdict.DIFF: "bold red",
    Verdict.NOT_COMPARABLE: "yellow",
    Verdict.INFRA: "magenta",
}
_TITLES = {
    Subject.DIFFERENCE: "differences",
    Subject.EXPECTED: "forgiven by a rule",
    Subject.WARNING: "warnings",
    Subject.OBSTACLE: "not comparable because",
    Subject.OUTAGE: "no answer",
}


def write(report: Report, console: Console) -> None:
    """Print every route of the report."""
    for route in report.routes:
        console.print(Group(*_route(route)), soft_wrap=False)
    for name, n in report.faults.items():
        console.print(f"{name.replace('_', ' ')}: {n:,}, not compared", style="yellow")


def _route(report: RouteReport) -> list[RenderableType]:
    heading = Text.assemble((report.route, "bold"), f"  at {report.stage}  {report.compared:,} compared")
    parts: list[RenderableType] = [
        heading,
        Padding(_verdicts(report), (0, 2)),
        Padding(_rate(report), (0, 2)),
    ]
    for subject, title in _TITLES.items():
        if found := report.about(subject):
            parts.append(Padding(_findings(title, found), (1, 2, 0, 2)))
    return [*parts, ""]


def _verdicts(report: RouteReport) -> Text:
    line = Text()
    for verdict in Verdict:
        n = report.counts.get(verdict, 0)
        line.append(f"{verdict.value} {n:,}   ", style=_STYLES[verdict] if n else "dim")
    line.rstrip()
    return line


def _rate(report: RouteReport) -> str:
    if not report.compared:
        return "no request was answered by both sides"
    return f"DIFF rate {report.rate:.2%}, at most {report.bound:.2%} (upper 95 % bound)"


def _findings(title: str, findings: tuple[Found, ...]) -> Table:
    table = Table(box=None, pad_edge=False, expand=True, header_style="bold")
    table.add_column(title, ratio=1, overflow="fold")
    table.add_column("count", justify="right")
    table.add_column("example", justify="right")
    for found in findings:
        about = Text.assemble((found.finding.name, "bold"), f"  {found.finding.pattern}")
        advice = Padding(Text(_advice(found.finding), style="dim"), (0, 0, 0, 2))
        table.add_row(
            Group(about, advice), f"{found.n:,}", "-" if found.example is None else str(found.example)
        )
    return table


def _advice(finding: Finding) -> str:
    verb = settling_verb(finding)
    return remedy(finding) + (f"; or, where it is right, a rule: {verb}" if verb else "")
