"""Show a takeover's answers to a person. Decides nothing."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from strangler.takeover.cancel import Cancelled
from strangler.takeover.drop_archive import Dropped
from strangler.takeover.handover import Handover
from strangler.takeover.noting import Noted
from strangler.takeover.plan import PlanReport
from strangler.takeover.resume import Resumed
from strangler.takeover.retire import Retired
from strangler.takeover.seen import in_words
from strangler.takeover.situation import State
from strangler.takeover.start import StartReport
from strangler.takeover.state import Pace
from strangler.takeover.status import TakeoverStatus
from strangler.takeover.verify import VerifyReport
from strangler.takeover.writers import WritersReport


def show_plan(console: Console, report: PlanReport) -> None:
    """Print what would move, what must be put right first and what is only worth knowing."""
    console.print(f"{report.group}: from {report.source} to {report.target}")
    table = _table("table", "rows", "key", "as")
    for each in report.tables:
        table.add_row(each.table, f"{each.rows:,}", ", ".join(each.key), each.into)
    console.print(table)
    for finding in report.findings:
        mark = ("must be put right", "bold red") if finding.blocks else ("worth knowing", "dim")
        console.print(Text.assemble(mark, f"  {finding.table}: {finding.found}; {finding.wanted}"))
    if report.possible:
        console.print(f"Nothing stands in the way. Next: strangler takeover start {report.group}")


def show_start(console: Console, report: StartReport) -> None:
    """Print what was copied, or would be, table by table."""
    verb = "copied" if report.executed else "would copy"
    console.print(f"{report.group}: {verb} from {report.source} to {report.target}")
    table = _table("table", "rows", "replaces")
    for copy in report.tables:
        table.add_row(copy.table, f"{copy.rows:,}", f"{copy.replaced:,}")
    console.print(table)
    if report.executed:
        console.print(
            f"{report.copied:,} rows went over in {report.seconds:.2f} s ({report.rate:,.0f}"
            " rows/s); changes are"
            f" captured. Next: strangler takeover verify {report.group}"
        )
    else:
        console.print(f"Nothing was written. To do it: strangler takeover start {report.group} --execute")


def show_verify(console: Console, report: VerifyReport) -> None:
    """Print what was found, table by table, and the first rows that differ."""
    table = _table("table", "rows", "differing")
    for compared in report.tables:
        table.add_row(compared.table, f"{compared.rows:,}", f"{compared.differing:,}")
    console.print(table)
    for compared in report.tables:
        for difference in compared.differences:
            console.print(Text(f"{difference.table} {difference.key}: {difference.kind}", style="red"))
    if report.skipped:
        console.print(f"found equal before, and followed since: {', '.join(report.skipped)}")
    if report.differing:
        console.print("Both databases differ: the copy cannot take over.")
    else:
        console.print(
            f"Both hold the same: {report.rows:,} rows in {report.seconds:.2f} s ({report.rate:,.0f} rows/s)"
        )


def show_status(console: Console, report: TakeoverStatus) -> None:
    """Print who owns, who follows, and what is wrong."""
    console.print(
        Text.assemble(
            f"{report.group}: phase ",
            (report.phase, "bold"),
            f", owned by the {report.owner} since epoch {report.epoch}; lease: {report.holder}",
        )
    )
    if report.state in {State.FENCED, State.ABORTED, State.UNADOPTED}:
        console.print(
            Text(
                f"A change of owner was interrupted ({report.state})."
                f" Next: strangler takeover resume {report.group}",
                style="bold red",
            )
        )
    if report.epoch and not report.fenced:
        console.print(Text("The follower's fence is gone: it takes writes that nobody expects.", style="red"))
    if report.refused:
        console.print(Text(report.refused, style="bold red"))
    table = _table("table", "rows", "copied", "behind", "verified", "")
    for each in report.tables:
        table.add_row(
            each.table,
            f"{each.rows:,}",
            "all" if each.done else f"{each.copied:,}",
            f"{each.behind:,}",
            "yes" if each.verified else "no",
            f"DIRTY: {each.dirty}" if each.dirty else "",
        )
    if report.tables:
        console.print(table)
    if report.slow:
        console.print(Text(f"The follower is slow: {report.slow}", style="yellow"))
    if report.kept:
        console.print(f"in the monolith, as an archive: {', '.join(report.kept)}")


def show_handover(console: Console, report: Handover) -> None:
    """Print who owns now, or would, and how long each step took."""
    if report.noted is not None:
        _show_noted(console, report.group, report.noted)
    if not report.executed:
        console.print(
            f"{report.group}: ready; the {report.owner} would own it from epoch {report.epoch}."
            " Nothing was changed."
            " To do it: the same with --execute"
        )
        return
    console.print(
        Text.assemble(
            f"{report.group}: owned by the ",
            (str(report.owner), "bold"),
            f" since epoch {report.epoch}; for {report.fenced * 1000:.0f} ms nobody could write",
        )
    )
    console.print("  ".join(f"{timed.step} {timed.seconds * 1000:.0f} ms" for timed in report.steps))
    undo = "rollback" if report.owner == "service" else "cutover"
    console.print(Text(f"undo: strangler takeover {undo} {report.group} --execute", style="dim"))


def show_resumed(console: Console, report: Resumed) -> None:
    """Print what was found and what became of it."""
    if report.found is State.OWNED:
        console.print(f"{report.group}: nothing is half done; owned by the {report.owner}")
    elif not report.executed:
        console.print(f"{report.group}: {report.found}. To finish it: strangler takeover resume --execute")
    else:
        console.print(
            f"{report.group}: was {report.found}; owned by the {report.owner} since epoch {report.epoch}"
        )


def show_cancelled(console: Console, report: Cancelled) -> None:
    """Print what was undone, or would be."""
    what = "the takeover" if report.ended else f"the change of owner ({report.found})"
    verb = "is given up" if report.executed else "would be given up; to do it, the same with --execute"
    console.print(f"{report.group}: {what} {verb}")


def show_retired(console: Console, report: Retired) -> None:
    """Print what is archived, or would be, and what stays in place."""
    console.print(f"{report.group}: {'retired' if report.executed else 'would be retired, for good'}")
    for table, name in report.archived.items():
        console.print(f"  {table} → {name}")
    for table, referring in report.in_place.items():
        console.print(f"  {table} stays in place: {', '.join(referring)} refer to it")
    for role in report.still_able:
        console.print(Text(f"  role {role} can still disable the fence of what it owned", style="red"))
    if not report.executed:
        console.print(
            "Nothing was changed. To do it: the same with --execute, once nothing reads these tables, and"
        )
        console.print(Text(f"  --confirm {report.confirm}"), soft_wrap=True)


def show_dropped(console: Console, report: Dropped) -> None:
    """Print what of the archive is gone, or would be."""
    names = ",".join(report.tables)
    if not report.tables:
        console.print(f"{report.group}: nothing is left of the archive")
    elif report.executed:
        console.print(f"{report.group}: dropped {names}", soft_wrap=True)
    else:
        console.print(f"{report.group}: nothing was changed. To drop the archive, for good:")
        command = f"strangler takeover retire {report.group} --drop --execute --confirm {names}"
        console.print(Text(f"  {command}"), soft_wrap=True)


def show_pace(console: Console, report: Pace) -> None:
    """Print how fast the follower may go, and what load slows it."""
    bounds = [
        text
        for limit, text in (
            (report.rows, f"{report.rows:,.0f} rows/s at most"),
            (report.max_lag, f"rests while a standby is more than {report.max_lag:g} s behind"),
            (report.max_active, f"rests while more than {report.max_active} sessions are at work"),
            (report.critical_active, f"stands still above {report.critical_active} sessions"),
            (report.max_wait, f"rests when the write lock took longer than {report.max_wait:g} s"),
            (report.max_slower, f"rests when rows take more than {report.max_slower:g} times as long"),
        )
        if limit
    ]
    console.print("paused" if report.paused else "\n".join(bounds) or "free")


def show_writers(console: Console, report: WritersReport) -> None:
    """Print who was seen to write, and how to see more or to end it."""
    _show_noted(console, report.group, Noted(report.noting, report.writers))
    if report.noting:
        console.print(Text(f"to end it: strangler takeover writers {report.group} --stop", style="dim"))


def _show_noted(console: Console, group: str, noted: Noted) -> None:
    for writer in noted.writers:
        mark = ("no route  ", "bold red") if writer.route is None else ("          ", "")
        console.print(Text.assemble(mark, in_words(writer), f"  by {writer.route}" if writer.route else ""))
    if noted.noting:
        console.print(f"{group}: writers are noted; {len(noted.writers)} seen so far")
    elif not noted.writers:
        console.print(
            f"{group}: nobody looked who writes. To look: strangler takeover writers {group} --execute"
        )


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        words = heading in {"table", "key", "as", "verified", ""}
        table.add_column(heading, justify="left" if words else "right")
    return table
