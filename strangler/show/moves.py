"""Print what a flip did, and the history of such moves."""

from rich.console import Console
from rich.text import Text

from strangler.audit import Action, Outcome, Record
from strangler.flip import Moved
from strangler.gate import Gate, Passage
from strangler.history import Event, History
from strangler.pushing import Pushed
from strangler.show.routes import verdict_words


def show_move(console: Console, answer: Moved) -> None:
    """Print one move, who acknowledged it, and the command that undoes it."""
    if not answer.changed:
        console.print(f"{answer.route}: is at {answer.origin} already; nothing was changed")
        return
    console.print(
        Text.assemble(
            f"{answer.route}: {answer.origin} → ",
            (str(answer.target), "bold"),
            f"  version {answer.version}  {_acknowledgement(answer)}",
        )
    )
    if answer.target.stage is answer.origin.stage and answer.target.percent < answer.origin.percent:
        console.print("the share is smaller than before: clients above it go back to the monolith")
    if answer.gate:
        console.print(_gate(answer.gate))
    console.print(Text(f"undo: {answer.undo}", style="dim"))


def _gate(gate: Gate) -> Text:
    if gate.passage is Passage.PASS:
        figures = f"{gate.samples:,} compared, DIFF rate at most {gate.bound:.2f} % (upper 95 % bound)"
        return Text(f"gate: pass, {figures}", style="green")
    return Text(f"gate: {gate.passage}, overridden: {'; '.join(gate.reasons)}", style="bold yellow")


def _acknowledgement(answer: Moved) -> str:
    workers = len(answer.acknowledged)
    if not workers:
        return "no proxy is running: the table was changed and serves from its next start"
    here = f"acknowledged by {workers} worker{'s' * (workers > 1)} in {answer.seconds * 1000:.0f} ms"
    return here + (f", and on {', '.join(answer.machines)}" if answer.machines else "")


def show_pushed(console: Console, answer: Pushed) -> None:
    """Print who serves the table now, and who took it just now."""
    console.print(f"table {answer.version}")
    for worker in answer.workers.answers:
        console.print(Text(f"worker {worker.pid}: {_serves(worker.version, answer.version)}"))
    for silent in answer.workers.silent:
        console.print(Text(f"worker {silent.pid}: {silent.why}", style="red"))
    for machine in answer.machines:
        if machine.serves(answer.version):
            took = "took it" if machine.name in answer.took else "had it"
            console.print(Text(f"{machine.name}: {took}"))
        else:
            console.print(Text(f"{machine.name}: {machine.in_words()}", style="red"))


def _serves(version: str, wanted: str) -> str:
    return "serves it" if version == wanted else f"serves {version}"


def show_history(console: Console, answer: History) -> None:
    """Print every change, oldest first, then every line that is not as it was written."""
    for event in answer.events:
        console.print(_event(event))
    if not answer.events:
        console.print("no change is recorded")
    for fault in answer.faults:
        console.print(Text(f"line {fault.number} of the audit: {fault.found}", style="bold red"))


def _event(event: Event) -> Text:
    change = event.change
    line = Text.assemble(
        (change.at[:19].replace("T", " "), "dim"), f"  {change.who}  ", (_deed(change), "bold")
    )
    line.append(f"  {change.before} → {change.after}", style="dim")
    if change.reason:
        line.append(f"\n    reason: {change.reason}")
    if change.evidence:
        line.append(f"\n    evidence: {verdict_words(change.evidence)}")
    if change.gate:
        forced = " overridden by force: " + "; ".join(change.gate["reasons"]) if change.gate["forced"] else ""
        line.append(f"\n    gate: {change.gate['answer']}{forced}", style="yellow" if forced else "")
    line.append(_outcome(event))
    return line


def _deed(change: Record) -> str:
    if change.action is Action.HAND_EDIT:
        return "hand edit of the table"
    if change.group is not None:
        return f"{change.action} {change.group}: {change.origin} → {change.target}, the owner and what writes"
    return f"{change.action} {change.route}: {change.origin} → {change.target}"


def _outcome(event: Event) -> Text:
    outcome = event.outcome
    if event.change.action is Action.HAND_EDIT:
        return Text("")
    if outcome is None:
        return Text("\n    interrupted; the next change finds out what became of it", style="yellow")
    if outcome.outcome is Outcome.UNDONE:
        return Text(f"\n    taken back: {_behind(outcome)}", style="yellow")
    if outcome.outcome is not Outcome.APPLIED:
        return Text(f"\n    {outcome.outcome}: it was interrupted", style="yellow")
    if outcome.silent or outcome.behind:
        return Text(f"\n    {_behind(outcome)}", style="red")
    return Text("")


def _behind(outcome: Record) -> str:
    workers = [f"worker {pid}" for pid in outcome.silent or ()]
    return f"not acknowledged by {', '.join([*workers, *(outcome.behind or ())])}"
