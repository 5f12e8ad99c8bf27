"""Add up a batch of comparisons before it is written, so that a batch costs a few statements. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from proxy.pairs import Pair
from strangler.compare.circumstances import circumstances_of
from strangler.compare.findings import Finding
from strangler.compare.store import HOUR, Judged

Key = tuple[Any, ...]


@dataclass
class _Sum:
    n: int = 0
    first_at: float = float("inf")
    last_at: float = 0.0
    example: int | None = None

    def add(self, at: float) -> None:
        self.n += 1
        self.first_at = min(self.first_at, at)
        self.last_at = max(self.last_at, at)


@dataclass
class Tally:
    """The counts of one batch, by what they are counted under. `epochs` grow when a route is settled."""

    epochs: Mapping[str, int] = field(default_factory=dict)
    _counts: dict[Key, _Sum] = field(default_factory=dict)
    _hits: dict[Key, _Sum] = field(default_factory=dict)
    _findings: dict[Key, _Sum] = field(default_factory=dict)

    def add(self, judged: Judged) -> None:
        """Count a verdict, and each rule that made it possible once."""
        pair, comparison = judged.pair, judged.comparison
        asked = circumstances_of(pair)
        where = (pair.route, pair.stage, self.epochs.get(pair.route, 0), int(pair.at // HOUR))
        how = (asked.method, asked.outcome, asked.role, comparison.verdict.value)
        self._counts.setdefault((*where, *how), _Sum()).add(pair.at)
        for rule in {each.rule for each in comparison.forgiven}:
            self._hits.setdefault((pair.route, rule), _Sum()).add(pair.at)

    def found(self, pair: Pair, finding: Finding, example: int | None) -> None:
        """Count a finding; `example` is the number of the comparison when it was kept."""
        key = (pair.route, pair.stage, finding.subject.value, finding.name, finding.pattern)
        found = self._findings.setdefault(key, _Sum())
        found.add(pair.at)
        found.example = found.example if example is None else example

    def count_rows(self) -> Iterator[Key]:
        """Yield rows of the table `counts`."""
        for key, found in self._counts.items():
            yield (*key, found.n, found.first_at, found.last_at)

    def hit_rows(self) -> Iterator[Key]:
        """Yield rows of the table `hits`."""
        for key, found in self._hits.items():
            yield (*key, found.n, found.last_at)

    def finding_rows(self) -> Iterator[Key]:
        """Yield rows of the table `findings`."""
        for key, found in self._findings.items():
            yield (*key, found.n, found.last_at, found.example)
