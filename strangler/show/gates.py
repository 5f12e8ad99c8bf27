"""Print what gates answer."""

from rich.console import Console
from rich.text import Text

from strangler.gate import Gate, Passage
from strangler.gates import RouteGate

_STYLES = {Passage.PASS: "green", Passage.REFUSED: "bold red", Passage.INCONCLUSIVE: "yellow"}


def show_gates(console: Console, answers: tuple[RouteGate, ...]) -> None:
    """Print each route with its gate's answer and every reason."""
    for answer in answers:
        if answer.gate is None:
            console.print(Text(f"no gate        {answer.route} at {answer.stage}", style="dim"))
            continue
        gate = answer.gate
        head = Text.assemble(
            (f"{gate.passage:<13}  ", _STYLES[gate.passage]), (answer.route, "bold"), f" at {answer.stage}"
        )
        console.print(head.append(f"  {_figures(gate)}"))
        for reason in gate.reasons:
            console.print(Text(f"               {reason}"))
        if len(answers) == 1 and gate.seen:
            seen = ", ".join(f"{n:,} {circumstances}" for circumstances, n in gate.seen.items())
            console.print(Text(f"               compared: {seen}", style="dim"))


def _figures(gate: Gate) -> str:
    unknown = f", {gate.unknown:,} unknown" if gate.unknown else ""
    return f"{gate.samples:,} compared, {gate.diffs:,} DIFF, at most {gate.bound:.2f} %{unknown}"
