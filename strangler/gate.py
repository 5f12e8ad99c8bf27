"""Decide from what comparison knows whether a route may give clients more of the service. Pure.

Three answers, and only a pass opens: a refusal says that the sides differ, inconclusive that nobody knows
enough yet. An answer that could not be compared never counts for a pass.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from proxy.routes import GateOptions, Route, Stage
from strangler.compare.bound import upper_bound
from strangler.compare.store import Evidence, Found
from strangler.compare.verdict import Kind, Verdict
from strangler.steps import Position

# All other kinds say that the service answers in another form, and one request is enough to know.
OF_VALUES = frozenset(
    {Kind.VALUE, Kind.NUMBER_FORM, Kind.TIME_FORMAT, Kind.UNICODE_FORM, Kind.PRECISION_LOST}
)

_COMPARED = frozenset({Verdict.MATCH, Verdict.EXPECTED, Verdict.DIFF})
_UNKNOWN = (
    (Verdict.NOT_COMPARABLE, "could not be compared"),
    (Verdict.INFRA, "were not answered by both sides"),
)


class Passage(enum.StrEnum):
    """What a gate answers."""

    PASS = "pass"  # noqa: S105 - no password
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Known:
    """What comparison knows of a route, from no longer ago than its gate lets count."""

    evidence: tuple[Evidence, ...] = ()
    structural: tuple[Found, ...] = ()
    stage: Stage | None = None  # of which alone; None: of every stage
    waiting: int = 0  # differing pairs that were not looked at a second time yet

    def count(self, *verdicts: Verdict) -> int:
        """Return how many comparisons got one of these verdicts."""
        return sum(each.n for each in self.evidence if each.verdict in verdicts)


@dataclass(frozen=True)
class Gate:
    """The answer of a gate, with the figures it rests on. `bound` is the upper 95 % bound in percent."""

    passage: Passage
    samples: int
    diffs: int
    unknown: int  # compared to no end, or answered by one side alone
    bound: float
    reasons: tuple[str, ...] = ()
    seen: Mapping[str, int] = field(default_factory=dict)  # comparable answers by `GET 2xx anonymous`


def is_gated(route: Route, target: Position) -> bool:
    """Say whether a step gives clients more of the service, or lets go of the way back from it.

    On a route whose answers can be compared.
    """
    if not route.gate.enabled or not route.reads:
        return False
    if target.stage is Stage.RETIRED:
        return route.stage is not Stage.RETIRED
    return target.stage in (Stage.CANARY, Stage.SERVICE) and _share(target) > _share(Position.of(route))


def counted_at(target: Stage) -> Stage | None:
    """Return the stage whose comparisons alone speak for a step to `target`; None where all do.

    Before the monolith is let go, only comparisons behind the service show that the two still agree.
    """
    return Stage.SERVICE if target is Stage.RETIRED else None


def structural(found: Iterable[Found]) -> tuple[Found, ...]:
    """Return the findings that are differences of form rather than of a value."""
    return tuple(
        each
        for each in found
        if each.finding.subject.value == "difference" and each.finding.name not in OF_VALUES
    )


def ask_gate(options: GateOptions, known: Known) -> Gate:
    """Return whether what is known is enough, and everything that is missing or wrong."""
    diffs = known.count(Verdict.DIFF)
    samples = known.count(Verdict.MATCH, Verdict.EXPECTED) + diffs
    unknown = known.count(Verdict.NOT_COMPARABLE, Verdict.INFRA)
    against, missing = tuple(_against(options, known, samples)), tuple(_missing(options, known, samples))
    passage = Passage.REFUSED if against else Passage.INCONCLUSIVE if missing else Passage.PASS
    bound = 100 * upper_bound(diffs, samples)
    return Gate(passage, samples, diffs, unknown, round(bound, 4), against + missing, _seen(known))


def record_of(gate: Gate, *, forced: bool) -> Mapping[str, object]:
    """Return a gate's answer for the audit; `forced` when the step was made in spite of it."""
    return {
        "answer": gate.passage.value,
        "samples": gate.samples,
        "diffs": gate.diffs,
        "unknown": gate.unknown,
        "diff_rate_upper_95": gate.bound,
        "reasons": list(gate.reasons),
        "seen": dict(gate.seen),
        "forced": forced,
    }


def _seen(known: Known) -> Mapping[str, int]:
    seen: Counter[str] = Counter()
    for each in known.evidence:
        if each.verdict in _COMPARED:
            seen[str(each.circumstances)] += each.n
    return dict(sorted(seen.items()))


def _share(position: Position) -> float:
    """Return the percent of clients that get the service's answer."""
    if position.stage is Stage.CANARY:
        return position.percent
    return 100.0 if position.stage.reaches_service else 0.0


def _against(options: GateOptions, known: Known, samples: int) -> Iterator[str]:
    for found in known.structural:
        example = f", as comparison {found.example}" if found.example else ""
        yield f"{found.finding.name} at {found.finding.pattern} differs in form{example}"
    diffs = known.count(Verdict.DIFF)
    if diffs > samples * options.max_diff / 100:
        yield f"{diffs:,} of {samples:,} answers differ, at most {options.max_diff:g} % may"


def _missing(options: GateOptions, known: Known, samples: int) -> Iterator[str]:
    if samples < options.min_samples:
        where = f" at {known.stage}" if known.stage else ""
        found = f"{samples:,} answers of the last {options.fresh:g} h{where} were compared"
        yield f"{found}, {options.min_samples:,} are wanted"
    if known.waiting:
        yield f"differences that wait for a second look: {known.waiting:,}"
    yield from _uncertain(options, known, samples)
    for wanted in options.cover:
        if not any(_is_in(wanted, each) for each in known.evidence):
            yield f"no answer to {wanted} was compared"


def _uncertain(options: GateOptions, known: Known, samples: int) -> Iterator[str]:
    diffs = known.count(Verdict.DIFF)
    unknown = known.count(Verdict.NOT_COMPARABLE, Verdict.INFRA)
    bound = 100 * upper_bound(diffs, samples)
    if bound > options.max_diff and samples >= options.min_samples:
        yield f"the DIFF rate is at most {bound:.2f} % (upper 95 % bound), {options.max_diff:g} % is wanted"
    elif 100 * unknown <= options.max_unknown * (samples + unknown):
        return
    elif 100 * upper_bound(diffs + unknown, samples + unknown) > options.max_diff:
        kinds = (
            (Verdict.NOT_COMPARABLE, "could not be compared"),
            (Verdict.INFRA, "came from one side alone"),
        )
        said = " and ".join(f"{n:,} {words}" for verdict, words in kinds if (n := known.count(verdict)))
        yield f"{said}: too many to know that the others speak for them"


def _is_in(wanted: str, evidence: Evidence) -> bool:
    """Say whether comparable evidence is of the circumstances that the words name."""
    asked = str(evidence.circumstances).split()
    return evidence.verdict in _COMPARED and all(word in asked for word in wanted.split())
