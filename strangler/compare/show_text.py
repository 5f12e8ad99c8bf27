"""Write comparisons for a person at a terminal or in a log. Effects: the console it is given."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from strangler.compare.findings import findings_of
from strangler.compare.remedies import remedy
from strangler.compare.show import Sheet, near_marks
from strangler.compare.verdict import Comparison, Difference, Verdict

_MARK_STYLES = {"≠": "red", "~": "cyan"}
_VERDICT_STYLES = {Verdict.MATCH: "green", Verdict.EXPECTED: "cyan", Verdict.DIFF: "bold red"}


def write_sheet(sheet: Sheet, console: Console, *, full: bool) -> None:
    """Print a kept comparison; `full` shows every line, also where both sides are alike."""
    console.print(Text(f"comparison {sheet.id}  {sheet.route} at {sheet.stage}  {sheet.at}", style="bold"))
    console.print(Text(f"request {sheet.request_id}  table {sheet.version}", style="dim"))
    write_comparison(sheet.comparison, console)
    _section("asked", sheet.request, console)
    console.print(Rule("answered", align="left", style="dim"), soft_wrap=False)
    console.print(_side_by_side(sheet, full=full), soft_wrap=False)
    again = sheet.rerun or ("not offered: this method may change something, and a write is never done twice",)
    _section("ask again", again, console)


def write_comparison(comparison: Comparison, console: Console) -> None:
    """Print a verdict and what it rests on."""
    style = _VERDICT_STYLES.get(comparison.verdict, "yellow")
    console.print(Text(comparison.verdict.value, style=style))
    for line in _grounds(comparison):
        console.print(line)
    advice = dict.fromkeys(f"{each.name}: {remedy(each)}" for each in findings_of(comparison) if remedy(each))
    for each in advice:
        console.print(Text(f"  {each}", style="dim"))


def _section(title: str, lines: Sequence[str], console: Console) -> None:
    console.print(Rule(title, align="left", style="dim"), soft_wrap=False)
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _grounds(comparison: Comparison) -> Iterator[Text]:
    for difference in comparison.differences:
        yield _difference("≠", difference, difference.kind.value)
    for forgiven in comparison.forgiven:
        yield _difference("~", forgiven.difference, f"{forgiven.weight.value} {forgiven.rule}")
    if comparison.obstacle:
        side = f" {comparison.obstacle.side.value}" if comparison.obstacle.side else ""
        yield Text(f"  {comparison.obstacle.reason.value}{side}: {comparison.obstacle.detail}")
    for outage in comparison.outages:
        yield Text(f"  {outage.side.value} gave no answer: {outage.error}")


def _difference(mark: str, difference: Difference, name: str) -> Text:
    line = Text.assemble(f"{mark} ", (name, "bold"), f"  {difference.path}", style=_MARK_STYLES[mark])
    for side, text in (("control", difference.control), ("candidate", difference.candidate)):
        line.append(f"\n    {side:<9}  {'(not there)' if text is None else text}", style="default")
    return line


def _side_by_side(sheet: Sheet, *, full: bool) -> Table:
    table = Table(box=None, expand=True, pad_edge=False)
    table.add_column("", width=1)
    table.add_column(f"control: {sheet.control}", ratio=1, overflow="fold")
    table.add_column(f"candidate: {sheet.candidate}", ratio=1, overflow="fold")
    for row in sheet.rows if full else near_marks(sheet.rows):
        table.add_row(*map(Text, (row.mark, row.control, row.candidate)), style=_MARK_STYLES.get(row.mark))
    return table
