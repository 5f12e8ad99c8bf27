"""Turn samples into a table for people and a document for machines. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.table import Table

from bench.proxy.peers import PEERS
from bench.proxy.run import ORIGIN, Sample


@dataclass(frozen=True, slots=True)
class Target:
    """What our proxy's CPU per request may be at most, as a multiple of a peer's in the same run."""

    peer: str
    at_most: float


FIGURES = ("cpu_us", "core_busy", "per_second", "p50_ms", "p99_ms")
TARGETS = (Target("nginx", 2.0), Target("envoy", 0.5))


def summarise(samples: Sequence[Sample]) -> dict[str, Sample]:
    """Return one sample per peer: the median of each figure over its rounds, `round` being their number."""
    by_peer: dict[str, list[Sample]] = {}
    for sample in samples:
        by_peer.setdefault(sample.peer, []).append(sample)
    return {name: _median(group) for name, group in by_peer.items()}


def _median(group: Sequence[Sample]) -> Sample:
    return Sample(
        peer=group[0].peer,
        round=len(group),
        **{figure: median(getattr(sample, figure) for sample in group) for figure in FIGURES},
    )


def ratio(medians: Mapping[str, Sample], name: str, to: str) -> float | None:
    """Return the CPU per request of `name` as a multiple of that of `to`; None unless both were measured."""
    if name == ORIGIN or name not in medians or to not in medians:
        return None
    return medians[name].cpu_us / medians[to].cpu_us


def table(medians: Mapping[str, Sample]) -> Table:
    """Return the terminal table, one row per peer."""
    shown = Table(title="CPU per request, median of the rounds", title_justify="left")
    shown.add_column("proxy")
    for heading in ("routes", "CPU us/req", "x nginx", "x Envoy", "req/s", "p50 ms", "p99 ms", "core busy"):
        shown.add_column(heading, justify="right")
    for name, sample in medians.items():
        shown.add_row(*_cells(medians, name, sample))
    return shown


def _cells(medians: Mapping[str, Sample], name: str, sample: Sample) -> list[str]:
    return [
        "none: origin alone" if name == ORIGIN else name,
        str(len(PEERS[name].routes)) if name in PEERS else "-",
        f"{sample.cpu_us:.1f}",
        _times(ratio(medians, name, "nginx")),
        _times(ratio(medians, name, "envoy")),
        f"{sample.per_second:,.0f}",
        f"{sample.p50_ms:.2f}",
        f"{sample.p99_ms:.2f}",
        f"{sample.core_busy:.0%}",
    ]


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def verdicts(medians: Mapping[str, Sample]) -> list[str]:
    """Return one line per target that this run could measure."""
    lines = []
    for target in TARGETS:
        found = ratio(medians, "ours", target.peer)
        if found is not None:
            word = "met" if found <= target.at_most else "MISSED"
            lines.append(f"ours / {target.peer}: {found:.2f}, wanted at most {target.at_most:g}: {word}")
    return lines


def document(machine: Mapping[str, Any], samples: Sequence[Sample]) -> dict[str, Any]:
    """Return everything measured, raw figures first to last, for the JSON file."""
    medians = summarise(samples)
    return {
        "machine": dict(machine),
        "medians": {name: asdict(sample) for name, sample in medians.items()},
        "ratios": {target.peer: ratio(medians, "ours", target.peer) for target in TARGETS},
        "samples": [asdict(sample) for sample in samples],
    }
