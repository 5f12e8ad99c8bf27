"""Show a takeover's answer to a person. Decides nothing."""

from rich.console import Console
from rich.table import Table

from strangler.takeover.start import StartReport


def show_start(console: Console, report: StartReport) -> None:
    """Print what was copied, or would be, table by table."""
    verb = "copied" if report.executed else "would copy"
    console.print(f"{report.group}: {verb} from {report.source} to {report.target}")
    table = Table(box=None, pad_edge=False)
    for heading in ("table", "rows", "replaces", *(("seconds", "rows/s") if report.executed else ())):
        table.add_column(heading, justify="left" if heading == "table" else "right")
    for copy in report.tables:
        measured = (f"{copy.seconds:.2f}", f"{copy.rate:,.0f}") if report.executed else ()
        table.add_row(copy.table, f"{copy.rows:,}", f"{copy.replaced:,}", *measured)
    console.print(table)
    if report.executed:
        console.print("Both sides hold the same rows, by count and by digest.")
    else:
        console.print(f"Nothing was written. To do it: strangler takeover start {report.group} --execute")
