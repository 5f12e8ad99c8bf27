"""Turn samples into a table for people and a document for machines. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from bench.idle.judge import Figures, Sample, ratios, summarise


def table(samples: Sequence[Sample]) -> Table:
    """Return the terminal table, one row per peer."""
    rows = summarise(samples)
    number = next(iter(rows.values())).connections
    shown = Table(title=f"{number:,} idle connections, one worker", title_justify="left")
    shown.add_column("proxy")
    for heading in ("KiB each", "x nginx", "MiB before", "MiB with", "new request ms", "CPU idle"):
        shown.add_column(heading, justify="right")
    for peer, row in rows.items():
        shown.add_row(
            peer,
            f"{row.each_kib:.2f}",
            _times(row, rows.get("nginx")),
            f"{row.before_mib:.1f}",
            f"{row.held_mib:.1f}",
            f"{row.answer_ms:.2f}",
            f"{row.cpu:.1%}",
        )
    return shown


def _times(row: Figures, nginx: Figures | None) -> str:
    return f"{row.each_kib / nginx.each_kib:.2f}" if nginx is not None and nginx.each_kib > 0 else "-"


def verdicts(samples: Sequence[Sample], wanted: int) -> list[str]:
    """Return one line per ratio, and one where there were fewer connections than wanted."""
    rows = summarise(samples)
    lines = [f"ours / {peer}: {value:.2f} of its memory" for peer, value in ratios(rows).items()]
    number = next(iter(rows.values())).connections
    if number < wanted:
        lines.append(f"{number:,} connections instead of {wanted:,}: no more files may be open (ulimit -n)")
    return lines


def document(machine: Mapping[str, Any], samples: Sequence[Sample]) -> dict[str, Any]:
    """Return everything measured for the JSON file."""
    rows = summarise(samples)
    return {
        "machine": dict(machine),
        "medians": {peer: asdict(row) for peer, row in rows.items()},
        "ratios": ratios(rows),
        "samples": [asdict(sample) for sample in samples],
    }
