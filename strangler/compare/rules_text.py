"""Write rules, their faults and what they changed, for a person. Effects: the console it is given."""

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from strangler.compare.rejudge import Rejudged
from strangler.compare.rule_check import Check
from strangler.compare.rule_list import ListedRule
from strangler.compare.verdict import Verdict


def write_rules(rules: tuple[ListedRule, ...], console: Console) -> None:
    """Print each rule in two or three lines, its hits in front."""
    for rule in rules:
        last = f", last {_day(rule.last_at)}" if rule.last_at else ""
        console.print(Text.assemble(f"{rule.hits:>9,} ", (rule.name, "bold"), f"  {rule.weight}{last}"))
        if rule.does:
            ends = f", until {rule.expires}" if rule.expires else ""
            console.print(Text(f"          {rule.does}, on {rule.route}; {rule.owner}{ends}"))
        console.print(Text(f"          {rule.reason}", style="dim"))


def write_check(found: Check, console: Console) -> None:
    """Print each fault, and what could not be said."""
    for fault in found.faults:
        console.print(Text.assemble((f"{fault.fault:<14}", "red"), (fault.rule, "bold"), f"  {fault.found}"))
        console.print(Text(f"              ask {fault.owner}", style="dim"))
    for name in found.unproven:
        console.print(Text(f"unproven      {name}  nothing was compared on its route yet", style="yellow"))
    if not found.faults:
        console.print(f"{found.rules} own {'rule' if found.rules == 1 else 'rules'}, nothing wrong with them")


def write_rejudged(found: Rejudged, console: Console) -> None:
    """Print what became of the stored verdicts."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("route", "was", "is", "pairs", "example"):
        table.add_column(name, justify="right" if name in ("pairs", "example") else "left")
    for turn, n, example in found.turns:
        style = "dim" if turn.before is turn.after else "red" if turn.after is Verdict.DIFF else "green"
        table.add_row(turn.route, turn.before, turn.after, f"{n:,}", str(example), style=style)
    console.print(table)
    console.print(f"{found.total:,} stored pairs judged again; {found.diffs:,} are a DIFF")


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
