"""Reduce a comparison to what is counted: its findings, and one fingerprint for all of them. Pure."""

import enum
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from strangler.compare.verdict import Comparison, Verdict, Weight


class Subject(enum.StrEnum):
    """What a finding is about."""

    DIFFERENCE = "difference"
    EXPECTED = "expected"
    WARNING = "warning"
    OBSTACLE = "obstacle"
    OUTAGE = "outage"


@dataclass(frozen=True, order=True)
class Finding:
    """A thing that many comparisons have in common: `name` is a kind, a rule, a reason or a side."""

    subject: Subject
    name: str
    pattern: str


def findings_of(comparison: Comparison) -> tuple[Finding, ...]:
    """Return the distinct findings, sorted. Notes are none: they say how an answer travelled."""
    return tuple(sorted(set(_each(comparison))))


def fingerprint(comparison: Comparison) -> str:
    """Return 16 hex digits that two comparisons share when they have verdict and findings in common."""
    return digest(comparison.verdict, findings_of(comparison))


@lru_cache(maxsize=4096)
def digest(verdict: Verdict, findings: tuple[Finding, ...]) -> str:
    """Return the fingerprint of a verdict with its findings, sorted as `findings_of` has them."""
    parts = [verdict.value, *("|".join(_parts(each)) for each in findings)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _parts(finding: Finding) -> tuple[str, str, str]:
    return finding.subject.value, finding.name, finding.pattern


def _each(comparison: Comparison) -> Iterator[Finding]:
    for difference in comparison.differences:
        yield Finding(Subject.DIFFERENCE, difference.kind.value, difference.path.pattern)
    for weight, subject in ((Weight.EXPECTED, Subject.EXPECTED), (Weight.WARNING, Subject.WARNING)):
        for forgiven in comparison.forgiven_as(weight):
            yield Finding(subject, forgiven.rule, forgiven.difference.path.pattern)
    if comparison.obstacle:
        side = comparison.obstacle.side
        yield Finding(Subject.OBSTACLE, comparison.obstacle.reason.value, side.value if side else "both")
    for outage in comparison.outages:
        yield Finding(Subject.OUTAGE, outage.error, outage.side.value)
