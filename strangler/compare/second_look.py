"""Look a second time at a live pair that differs: does the monolith differ from itself, is it a cursor, was
the copy behind? Pure; asking comes in.

Both sides are asked again as nobody: nobody's session, limit or history is touched for a comparison. So what
they say counts only for a request without credentials, or where the monolith gives nobody the same answer.
A copy that was behind explains a difference only if it changed since the request came, and if both sides now
agree. That is no evidence of sameness either.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from proxy.pairs import Failure, Pair, Request, Response
from proxy.routes import MONOLITH, SAFE_METHODS, Stage
from strangler.compare import masking
from strangler.compare.corpus import KEPT_HEADERS
from strangler.compare.exchange import exchange_of
from strangler.compare.following import compare_followed
from strangler.compare.judge import compare, compare_answers
from strangler.compare.noise import patterns_of_values, with_noise
from strangler.compare.terms import Terms
from strangler.compare.verdict import Comparison, Obstacle, Reason, Side, Verdict

_LIVE = frozenset(stage.value for stage in Stage)
_ALIKE = frozenset({Verdict.MATCH, Verdict.EXPECTED})
_PROOFS = frozenset({b"cookie", b"authorization"})

Ask = Callable[[Side, Request], Response | Failure]  # a side of the pair, and what it is asked as nobody


@dataclass(frozen=True)
class Again:
    """What both sides answer now, and what the monolith answers once more."""

    control: Response
    candidate: Response
    monolith: Response


@dataclass(frozen=True)
class Looked:
    """The verdict after a second look, and the places at which the monolith differs from itself.

    `confirmed`: it is a difference that a second look could have explained, and did not.
    """

    comparison: Comparison
    noise: frozenset[str] = frozenset()
    confirmed: bool = False


def is_worth_a_look(pair: Pair, found: Comparison) -> bool:
    """Say whether a pair differs and can be asked again as nobody, without a side effect or a secret."""
    asked = pair.request
    return (
        found.verdict is Verdict.DIFF
        and pair.stage in _LIVE
        and asked.method in SAFE_METHODS
        and masking.target(asked.target) == asked.target
        and MONOLITH in (pair.control, pair.candidate)
    )


def as_nobody(request: Request, target: str | None = None) -> Request:
    """Return a request without all that says who asks."""
    kept = tuple(each for each in request.headers if each[0].decode("latin-1").lower() in KEPT_HEADERS)
    return Request(request.method, request.target if target is None else target, kept, b"")


def began(pair: Pair) -> float:
    """Return the Unix second before which neither side had been asked."""
    answers = pair.control_answer, pair.candidate_answer
    return pair.began or pair.at - sum(each.seconds for each in answers)


def look_again(
    pair: Pair, terms: Terms, found: Comparison, again: Again, ask: Ask, *, changed: bool, quiet: bool
) -> Looked:
    """Return the verdict.

    `changed` says whether the copy changed between the request and the second question, `quiet` that nothing
    was written from the request to the last answer, as far as anybody can know.
    """
    control, candidate = pair.control_answer, pair.candidate_answer
    assert isinstance(control, Response)  # or there were no difference
    assert isinstance(candidate, Response)
    noise = frozenset[str]()
    if quiet:  # rows that are written all the while differ from answer to answer as noise does
        noise = _noise(pair, control if pair.control == MONOLITH else candidate, again, terms)
    if noise:
        terms = with_noise(terms, noise)
    if _is_somebodys(pair.request) and not _is_alike(pair, control, again.control, terms):
        return Looked(found)
    best = _compared(pair, terms, ask)
    if (
        best.verdict is Verdict.DIFF
        and changed
        and again.control.status in (control.status, candidate.status)
    ):
        now = msgspec.structs.replace(pair, control_answer=again.control, candidate_answer=again.candidate)
        if _compared(now, terms, ask).verdict in _ALIKE:
            best = _behind(best)
    return Looked(best, noise, confirmed=best.verdict is Verdict.DIFF)


def _noise(pair: Pair, first: Response, again: Again, terms: Terms) -> frozenset[str]:
    """Return where three answers of the monolith to one question have three values."""
    second = again.control if pair.control == MONOLITH else again.candidate
    exchange = exchange_of(pair.request)
    between = patterns_of_values(compare_answers(exchange, second, again.monolith, terms))
    # A write between two answers changes a value once: what the last two share is no noise.
    return (
        between & patterns_of_values(compare_answers(exchange, first, second, terms)) if between else between
    )


def _is_somebodys(request: Request) -> bool:
    return any(name.lower() in _PROOFS for name, _ in request.headers)


def _is_alike(pair: Pair, one: Response, other: Response, terms: Terms) -> bool:
    return compare_answers(exchange_of(pair.request), one, other, terms).verdict in _ALIKE


def _compared(pair: Pair, terms: Terms, ask: Ask) -> Comparison:
    followed = compare_followed(pair, terms, lambda side, target: ask(side, as_nobody(pair.request, target)))
    return followed or compare(pair, terms)


def _behind(found: Comparison) -> Comparison:
    first = found.differences[0]
    detail = f"{first.kind} at {first.path}, which was gone once the copy had followed"
    return Comparison(Verdict.NOT_COMPARABLE, obstacle=Obstacle(Reason.REPLICATION_LAG, None, detail))
