"""Turn judged runs into a table for people and a document for machines. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from bench.flip.judge import Judged
from bench.flip.side import Side

SLOWEST_ACKNOWLEDGEMENT_MS = 10.0
HEADINGS = (
    "requests", "errors", "closed", "change ms", "old side ms", "slowest", "acked ms", "slowest", "late",
    "monolith", "service",
)  # fmt: skip


def table(runs: Sequence[Judged]) -> Table:
    """Return the terminal table, one row per peer."""
    shown = Table(title="Flips under load", title_justify="left")
    shown.add_column("proxy")
    for heading in HEADINGS:
        shown.add_column(heading, justify="right")
    for run in runs:
        shown.add_row(*_cells(run))
    return shown


def _cells(run: Judged) -> list[str]:
    acknowledged = run.acknowledged_ms
    return [
        run.peer,
        f"{run.requests:,}",
        str(run.errors),
        str(run.closed),
        f"{run.change_ms:.1f}",
        *(f"{value:.1f}" for value in run.old_ms),
        *(("-", "-") if acknowledged is None else (f"{value:.1f}" for value in acknowledged)),
        "-" if acknowledged is None else str(run.late),
        *(f"{run.answered.get(side, 0):,}" for side in Side),
    ]


def ratios(runs: Sequence[Judged]) -> dict[str, float]:
    """Return how long the old side answered with ours, as a multiple of each peer's, medians."""
    medians = {run.peer: run.old_ms[0] for run in runs}
    ours = medians.pop("ours", None)
    return {} if ours is None else {peer: ours / value for peer, value in medians.items() if value}


def verdicts(runs: Sequence[Judged]) -> list[str]:
    """Return one line per ratio and per target that this run could measure."""
    lines = [
        f"ours / {peer}: {value:.2f} of its time with the old side" for peer, value in ratios(runs).items()
    ]
    return lines + [line for run in runs if run.peer == "ours" for line in _targets(run)]


def _targets(run: Judged) -> list[str]:
    slowest = (run.acknowledged_ms or (0.0, 0.0))[1]
    met = slowest <= SLOWEST_ACKNOWLEDGEMENT_MS
    wanted = f"wanted at most {SLOWEST_ACKNOWLEDGEMENT_MS:g}"
    late = "answers of the old side after an acknowledgement"
    return [
        f"ours: {run.errors} client errors, wanted 0: {_word(not run.errors)}",
        f"ours: slowest acknowledgement {slowest:.1f} ms, {wanted}: {_word(met)}",
        f"ours: {run.late} {late}, wanted 0: {_word(not run.late)}",
    ]


def _word(met: bool) -> str:
    return "met" if met else "MISSED"


def document(machine: Mapping[str, Any], runs: Sequence[Judged]) -> dict[str, Any]:
    """Return everything measured, each move's figures included, for the JSON file."""
    return {"machine": dict(machine), "ratios": ratios(runs), "runs": [asdict(run) for run in runs]}
