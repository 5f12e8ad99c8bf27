"""Draw the figures of the idle benchmark. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

KIB = 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """One proxy with idle connections: its memory before and with them, in bytes of its whole process tree.

    `answer_ms`: a request on a new connection meanwhile. `cpu`: the share of a core it used while idle.
    """

    peer: str
    round: int
    connections: int
    before: int
    held: int
    answer_ms: float
    cpu: float

    @property
    def each_kib(self) -> float:
        """Memory for one connection."""
        return (self.held - self.before) / self.connections / KIB


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians of the rounds."""

    connections: int
    each_kib: float
    before_mib: float
    held_mib: float
    answer_ms: float
    cpu: float


def summarise(samples: Sequence[Sample]) -> dict[str, Figures]:
    """Return one row per peer."""
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.peer, []).append(sample)
    return {peer: _together(group) for peer, group in groups.items()}


def _together(group: Sequence[Sample]) -> Figures:
    return Figures(
        connections=group[0].connections,
        each_kib=median(sample.each_kib for sample in group),
        before_mib=median(sample.before for sample in group) / KIB**2,
        held_mib=median(sample.held for sample in group) / KIB**2,
        answer_ms=median(sample.answer_ms for sample in group),
        cpu=median(sample.cpu for sample in group),
    )


def ratios(rows: Mapping[str, Figures]) -> dict[str, float]:
    """Return our memory for a connection as a multiple of each peer's."""
    ours = rows.get("ours")
    if ours is None:
        return {}
    return {
        peer: ours.each_kib / row.each_kib
        for peer, row in rows.items()
        if peer != "ours" and row.each_kib > 0
    }
