"""Turn figures into a table for people and a document for machines. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from bench.shadow.candidates import Candidate
from bench.shadow.judge import TIMES, Figures, noise, slowdown, summarise
from bench.shadow.peers import Copies

HEADINGS = (
    "requests", "errors", "first p50", "p99", "next p50", "p99", "x none", "copied", "failed", "dropped",
)  # fmt: skip


def table(rounds: Sequence[Figures]) -> Table:
    """Return the terminal table, one row per proxy and candidate."""
    rows = summarise(rounds)
    shown = Table(title="Client's milliseconds with 100 % shadow, median of the rounds", title_justify="left")
    shown.add_column("proxy")
    shown.add_column("candidate")
    for heading in HEADINGS:
        shown.add_column(heading, justify="right")
    for (peer, candidate), row in rows.items():
        times = slowdown(rows, peer, candidate, "next_p50")
        shown.add_row(
            peer,
            candidate,
            f"{row.requests:,}",
            str(row.errors),
            *(f"{getattr(row, name):.2f}" for name in TIMES),
            f"{times:.2f}" if times < 10 else f"{times:,.0f}",
            *_cells(row.copies),
        )
    return shown


def _cells(copies: Copies | None) -> tuple[str, str, str]:
    if copies is None:
        return "-", "-", "-"
    return f"{copies.answered:,}", f"{copies.failed:,}", f"{copies.dropped:,}"


def verdicts(rounds: Sequence[Figures]) -> list[str]:
    """Return a line for every other proxy with the slow candidate, and the targets of ours."""
    rows = summarise(rounds)
    peers = dict.fromkeys(peer for peer, _ in rows)
    lines = [_next_request(rows, peer) for peer in peers]
    if "ours" in peers:
        lines += [_target(rounds, rows, candidate) for candidate in (Candidate.SLOW, Candidate.DEAD)]
    return lines


def _next_request(rows: dict[tuple[str, Candidate], Figures], peer: str) -> str:
    times = slowdown(rows, peer, Candidate.SLOW, "next_p50")
    return f"{peer}: the next request takes {times:,.2f} times as long while the candidate takes its time"


def _target(
    rounds: Sequence[Figures], rows: dict[tuple[str, Candidate], Figures], candidate: Candidate
) -> str:
    measured = noise(rounds, "ours")
    first = slowdown(rows, "ours", candidate, "first_p99")
    later = slowdown(rows, "ours", candidate, "next_p99")
    met = first <= measured.first_p99 and later <= measured.next_p99 and not rows["ours", candidate].errors
    return (
        f"ours, {candidate} candidate: p99 {first:.2f} times that without a shadow, the next request's"
        f" {later:.2f} times; without one they vary by {measured.first_p99:.2f} and {measured.next_p99:.2f}:"
        f" {'met' if met else 'MISSED'}"
    )


def document(machine: Mapping[str, Any], rounds: Sequence[Figures]) -> dict[str, Any]:
    """Return everything measured, round by round, for the JSON file."""
    rows = summarise(rounds)
    return {
        "machine": dict(machine),
        "medians": [asdict(row) for row in rows.values()],
        "times_no_shadow": [
            {"peer": peer, "candidate": candidate}
            | {name: slowdown(rows, peer, candidate, name) for name in TIMES}
            for peer, candidate in rows
        ],
        "rounds": [asdict(each) for each in rounds],
    }
