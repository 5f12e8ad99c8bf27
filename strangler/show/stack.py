"""Print what `up`, `down` and `status` found."""

from collections.abc import Mapping

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from strangler.everywhere import MachineState
from strangler.show.routes import stage_words
from strangler.stack import Started, Stopped
from strangler.status import GroupState, RouteState, Status, WorkerState
from strangler.workers import Count, PathCount

UNMATCHED_SHOWN = 10


def show_started(console: Console, answer: Started) -> None:
    """Print where every part listens."""
    for part, address in answer.addresses.items():
        console.print(f"{part:<14} http://{address}")
    console.print(f"up in {answer.seconds:.1f} s        [dim](stop: strangler down)[/]")


def show_stopped(console: Console, answer: Stopped) -> None:
    """Print whether there was anything to stop."""
    console.print("nothing was running" if answer.pid is None else "stopped")


def show_status(console: Console, answer: Status) -> None:
    """Print parts, table, workers, routes and upstreams."""
    _show_parts(console, answer)
    _show_table(console, answer)
    for worker in answer.workers:
        _show_worker(console, worker)
    for silent in answer.silent:
        console.print(f"[red]worker {silent.pid}: {escape(silent.why)}[/]")
    for machine in answer.machines:
        _show_machine(console, machine, answer.table.version)
    if answer.routes:
        console.print(_routes(answer.routes))
    if answer.unmatched:
        console.print(_unmatched(answer.unmatched))
    for group in answer.groups:
        console.print(_group(group))
    for upstream in answer.upstreams:
        health = f"[red]{escape(upstream.fault)}[/]" if upstream.fault else "[green]well[/]"
        console.print(f"upstream {upstream.name}  {upstream.url}  {health}")
        for route, states in upstream.breakers.items():
            console.print(f"     {_breaker(route, states)}")


def _show_parts(console: Console, answer: Status) -> None:
    if not answer.running:
        console.print("the stack is not running        [dim](start: strangler up)[/]")
    for part in answer.parts:
        style = "red" if part.failed else "green" if part.state == "RUNNING" else "yellow"
        age = f"pid {part.pid}, up {_duration(part.uptime)}" if part.uptime is not None else part.note
        console.print(f"{part.name:<10} [{style}]{part.state.lower():<9}[/] {escape(age)}")


def _show_table(console: Console, answer: Status) -> None:
    if not answer.table.fault:
        console.print(f"table {answer.table.version}  {answer.table.path}")
        return
    serving = "; the last good one serves on" if answer.workers else ""
    console.print(f"[bold red]table {answer.table.version} is rejected[/]{serving}")
    console.print(f"     {escape(answer.table.fault)}")


def _show_worker(console: Console, worker: WorkerState) -> None:
    shadow = ", ".join(f"{n} {what}" for what, n in worker.shadow.items())
    console.print(
        f"worker {worker.pid}  table {worker.version}  up {_duration(worker.uptime)}"
        f"  {worker.connections} connections  shadow: {shadow}"
    )
    if worker.rejected:
        console.print(f"[red]     rejected {worker.rejected.version}: {escape(worker.rejected.reason)}[/]")


def _show_machine(console: Console, machine: MachineState, version: str) -> None:
    if machine.serves(version):
        workers = f"{machine.workers} worker{'s' * (machine.workers > 1)}"
        console.print(f"machine {escape(machine.name)}  table {version}  {workers}")
    else:
        said = f"[bold red]machine {escape(machine.name)} is behind[/]: {escape(machine.in_words())}"
        console.print(f"{said}        [dim](strangler apply)[/]")


def _routes(routes: tuple[RouteState, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    windows = sorted({seconds for route in routes for seconds in route.recent})
    minutes = " · ".join(str(seconds // 60) for seconds in windows)
    table.add_column("route", no_wrap=True)
    for heading in ("stage", "owner", f"last {minutes} min", "since the proxy started"):
        table.add_column(heading, overflow="fold")
    for route in routes:
        stage = stage_words(route.stage, route.percent)
        recent = _recent(route, windows)
        table.add_row(route.name, stage, route.owner, recent, _counts(route.counts))
    return table


def _recent(route: RouteState, windows: list[int]) -> str:
    """Return a line for each target: its requests in every window, and its errors in the longest."""
    none = Count(0, 0)
    longest = route.recent.get(windows[-1], {}) if windows else {}
    lines = []
    for target, count in longest.items():
        requests = (route.recent[seconds].get(target, none).requests for seconds in windows)
        lines.append(f"{target} " + " · ".join(f"{number:,}" for number in requests) + _errors(count))
    return "\n".join(lines) or "-"


def _errors(count: Count) -> str:
    return f" ([red]{count.errors:,} errors[/])" if count.errors else ""


def _counts(counts: Mapping[str, Count]) -> str:
    return (
        ", ".join(f"{target} {count.requests:,}{_errors(count)}" for target, count in counts.items()) or "-"
    )


def _unmatched(paths: tuple[PathCount, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("named by no route: the monolith answers", overflow="fold")
    table.add_column("requests", justify="right")
    for each in paths[:UNMATCHED_SHOWN]:
        table.add_row(f"{each.method} {escape(each.path)}", f"{each.requests:,}")
    if len(paths) > UNMATCHED_SHOWN:
        table.add_row(f"[dim]{len(paths) - UNMATCHED_SHOWN} more: strangler status --json[/]", "")
    return table


def _group(group: GroupState) -> str:
    words = f"group {group.name}  owned by the {group.owner}"
    if group.lag is not None:
        words += f"  copy {group.lag:.1f} s behind"
    if group.suspended:
        words += "  [red]too far: reads go to the owner[/]"
    if group.held:
        words += f"  [yellow]writes are held, {group.parked} wait[/]"
    elif group.parked:
        words += f"  [yellow]{group.parked} writes wait for the owner to change[/]"
    return words


def _breaker(route: str, states: Mapping[str, int]) -> str:
    whose = f"breaker of {route}" if route else "breaker"
    if states.keys() == {"closed"}:
        return f"{whose} closed"
    told = ", ".join(
        f"{state} in {number} of {sum(states.values())} workers" for state, number in states.items()
    )
    return f"{whose} [red]{told}[/]"


def _duration(seconds: int | None) -> str:
    minutes, rest = divmod(seconds or 0, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
