"""Print what the doctor found."""

from rich.console import Console
from rich.markup import escape

from strangler.doctor import Finding


def show_findings(console: Console, answer: tuple[Finding, ...]) -> None:
    """Print one line for each finding, and for a problem what to type next."""
    for finding in answer:
        mark = "[green]ok     [/]" if finding.well else "[bold red]problem[/]"
        console.print(f"{mark} {finding.subject:<18} {escape(finding.found)}")
        if not finding.well:
            console.print(f"        [dim]next:[/] [bold]{escape(finding.next)}[/]")
