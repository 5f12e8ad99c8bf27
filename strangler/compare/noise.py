"""Tell what the monolith answers otherwise each time from what the service answers otherwise. Pure.

Found by asking the monolith the same twice. Used for values alone: a member that comes and goes, another type
or another status is never noise.
"""

from proxy.pairs import Pair, Response
from strangler.compare.exchange import exchange_of
from strangler.compare.judge import compare_answers
from strangler.compare.path import Place
from strangler.compare.rules import Rule
from strangler.compare.terms import Terms
from strangler.compare.verdict import Comparison, Kind, Weight

NAME = "noise"
WHY = "The monolith itself gives another value each time it is asked the same: asked twice, it differed here."

_OF_VALUES = frozenset({Kind.VALUE, Kind.PRECISION_LOST})
_PLACES = frozenset({Place.JSON, Place.HTML})


def noise_of(pair: Pair, again: Response, terms: Terms) -> frozenset[str]:
    """Return the patterns at which the control's second answer has another value than its first."""
    if not isinstance(pair.control_answer, Response):
        return frozenset()
    return patterns_of_values(compare_answers(exchange_of(pair.request), pair.control_answer, again, terms))


def patterns_of_values(found: Comparison) -> frozenset[str]:
    """Return the patterns at which a body has another value, and nothing worse than that."""
    return frozenset(
        each.path.pattern
        for each in found.differences
        if each.kind in _OF_VALUES and each.path.place in _PLACES
    )


def rule(patterns: frozenset[str]) -> Rule:
    """Return the rule that forgives another value at these places."""
    return Rule(
        NAME,
        Weight.EXPECTED,
        WHY,
        lambda difference, _: difference.kind in _OF_VALUES and difference.path.pattern in patterns,
    )


def with_noise(terms: Terms, patterns: frozenset[str]) -> Terms:
    """Return the terms that also forgive noise."""
    return Terms((*terms.rules, rule(patterns)), terms.lists, terms.renames)
