"""Turn figures into two tables for people and a document for machines. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from bench.fallback.failing import Failing
from bench.fallback.judge import Figures, slowdown, summarise


def reads(rounds: Sequence[Figures]) -> Table:
    """Return what readers saw: one row per proxy and failure."""
    rows = summarise(rounds)
    shown = Table(title="Reads while the service fails, milliseconds", title_justify="left")
    shown.add_column("proxy")
    shown.add_column("service")
    for heading in ("requests", "right", "errors", "p50", "x well", "p99", "x well", "slowest"):
        shown.add_column(heading, justify="right")
    for (peer, failing), row in rows.items():
        shown.add_row(
            peer,
            failing,
            f"{row.requests:,}",
            f"{row.right:,}",
            f"{row.errors:,}",
            f"{row.p50:.2f}",
            _times(slowdown(rows, peer, failing, "p50")),
            f"{row.p99:.2f}",
            _times(slowdown(rows, peer, failing, "p99")),
            f"{row.slowest:.0f}",
        )
    return shown


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def writes(rounds: Sequence[Figures]) -> Table:
    """Return where writes were performed: one row per proxy and failure."""
    shown = Table(title="Writes while the service fails: performed where", title_justify="left")
    shown.add_column("proxy")
    shown.add_column("service")
    for heading in ("writes", "at the service", "at the monolith", "twice", "never"):
        shown.add_column(heading, justify="right")
    for (peer, failing), row in summarise(rounds).items():
        done = row.performed
        counts = (done.writes, done.service, done.monolith, done.twice, done.never)
        shown.add_row(peer, failing, *(f"{count:,}" for count in counts))
    return shown


def verdicts(rounds: Sequence[Figures]) -> list[str]:
    """Return one line for each proxy, and the targets of ours."""
    rows = summarise(rounds)
    peers = dict.fromkeys(peer for peer, _ in rows)
    lines = [_of(rows, peer) for peer in peers]
    if "ours" in peers:
        twice = sum(rows["ours", failing].performed.twice for failing in Failing)
        wrong = sum(rows["ours", failing].performed.monolith for failing in Failing)
        errors = sum(rows["ours", failing].errors for failing in Failing)
        lines += [
            f"ours: {twice} writes performed twice, wanted 0: {_word(not twice)}",
            f"ours: {wrong} writes performed where they are not owned, wanted 0: {_word(not wrong)}",
            f"ours: {errors} reads that were not answered right, wanted 0: {_word(not errors)}",
        ]
    return lines


def _of(rows: Mapping[tuple[str, Failing], Figures], peer: str) -> str:
    own = [row for (name, _), row in rows.items() if name == peer]
    asked, errors = sum(row.requests for row in own), sum(row.errors for row in own)
    sent, twice = sum(row.performed.writes for row in own), sum(row.performed.twice for row in own)
    repeated = f"{twice / sent:.1%} of writes performed twice"
    return f"{peer}: {errors / asked:.2%} of reads not answered right, {repeated}"


def _word(met: bool) -> str:
    return "met" if met else "MISSED"


def document(machine: Mapping[str, Any], rounds: Sequence[Figures]) -> dict[str, Any]:
    """Return everything measured, round by round, for the JSON file."""
    rows = summarise(rounds)
    return {
        "machine": dict(machine),
        "medians": [asdict(row) for row in rows.values()],
        "times_well": [
            {"peer": peer, "failing": failing}
            | {time: slowdown(rows, peer, failing, time) for time in ("p50", "p99")}
            for peer, failing in rows
        ],
        "rounds": [asdict(each) for each in rounds],
    }
