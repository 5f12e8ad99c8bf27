"""Turn figures into tables for people and a document for machines. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from bench.takeover.measure import Captured, Copied, Pause, Rechecked

ALONE, WRITTEN_TO, BULK, PAUSE_MS = 0.85, 0.6, 0.9, 50.0


@dataclass(frozen=True)
class Figures:
    """Everything one run measured."""

    rows: int
    copied: tuple[Copied, ...]
    captured: tuple[Captured, ...]
    verified: float
    rechecked: Rechecked
    pause: Pause


def table(figures: Figures) -> Table:
    """Return the terminal table."""
    shown = Table(title=f"Takeover on PostgreSQL, {figures.rows:,} rows, medians", title_justify="left")
    for heading in ("what", "without", "with", "ratio"):
        shown.add_column(heading, justify="left" if heading == "what" else "right")
    for written_to, name in ((False, "backfill, alone"), (True, "backfill, while 4 clients write")):
        plain, ours = (_median(figures.copied, written_to, which) for which in ("plain", "ours"))
        shown.add_row(
            f"{name}: plain COPY, ours (rows/s)", f"{plain:,.0f}", f"{ours:,.0f}", _ratio(ours, plain)
        )
    for which, name in (("bulk", "bulk update (rows/s)"), ("single", "single update (rows/s)")):
        without = statistics.median(getattr(each, f"{which}_without") for each in figures.captured)
        having = statistics.median(getattr(each, f"{which}_with") for each in figures.captured)
        shown.add_row(f"capture, {name}", f"{without:,.0f}", f"{having:,.0f}", _ratio(having, without))
    shown.add_row("verification (rows/s, of both sides)", "", f"{figures.verified:,.0f}", "")
    again = figures.rechecked
    shown.add_row("changed rows, followed (rows/s)", "", f"{again.followed:,.0f}", "")
    shown.add_row("changed rows, compared again (rows/s)", "", f"{again.compared:,.0f}", "")
    for name, value in _times(figures.pause).items():
        shown.add_row(name, "", f"{value * 1000:.1f} ms", "")
    return shown


def verdicts(figures: Figures) -> list[str]:
    """Return a line for each target."""
    alone = _of(figures, written_to=False)
    written = _of(figures, written_to=True)
    bulk = statistics.median(each.bulk_with / each.bulk_without for each in figures.captured)
    crossing = _quantile(figures.pause.crossing, 99) * 1000
    pause = figures.pause
    crossed = f"{len(pause.crossing)} acknowledged writes that crossed one of {len(pause.fenced)} cutovers"
    return [
        f"backfill alone: {alone:.2f} of a plain COPY, wanted {ALONE}: {_met(alone >= ALONE)}",
        f"backfill while written to: {written:.2f}, wanted {WRITTEN_TO}: {_met(written >= WRITTEN_TO)}",
        f"bulk updates with capture: {bulk:.2f} of those without, wanted {BULK}: {_met(bulk >= BULK)}",
        f"p99 of {crossed}: {crossing:.1f} ms, wanted {PAUSE_MS:g}: {_met(crossing <= PAUSE_MS)}",
        f"ledger: {pause.writes:,} acknowledged writes, {pause.lost} lost: {_met(not pause.lost)}",
    ]


def document(machine: Mapping[str, Any], figures: Figures) -> dict[str, Any]:
    """Return everything measured, for a file."""
    return {"machine": machine, **asdict(figures)}


def _of(figures: Figures, *, written_to: bool) -> float:
    return statistics.median(
        each.ours / each.plain for each in figures.copied if each.written_to is written_to
    )


def _median(copied: Sequence[Copied], written_to: bool, which: str) -> float:
    rates: list[float] = [getattr(each, which) for each in copied if each.written_to is written_to]
    return statistics.median(rates)


def _times(pause: Pause) -> dict[str, float]:
    return {
        "cutover: nobody can write, median": statistics.median(pause.fenced),
        "cutover: nobody can write, longest": max(pause.fenced),
        "writes that cross it, p50": _quantile(pause.crossing, 50),
        "writes that cross it, p99": _quantile(pause.crossing, 99),
        "other writes, p50": _quantile(pause.usual, 50),
        "other writes, p99": _quantile(pause.usual, 99),
    }


def _quantile(values: Sequence[float], percent: int) -> float:
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _ratio(one: float, other: float) -> str:
    return f"{one / other:.2f}"


def _met(met: bool) -> str:
    return "met" if met else "MISSED"
