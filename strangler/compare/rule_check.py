"""Find the rules that should not be there: too broad, dead, expired, of an unknown route. Pure.

A rule of which no stored answer says anything is called unproven and is no fault.
"""

import enum
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from proxy.pairs import Pair, Response
from strangler.compare import coding, headers, lossless
from strangler.compare.judge import compare
from strangler.compare.lossless import Json
from strangler.compare.path import TREES, WILD, Place
from strangler.compare.rule_book import EVERY_ROUTE, OwnRule, RuleBook, Verb

_OF_VALUES = frozenset({Verb.IGNORE, Verb.TOLERANCE, Verb.SKEW, Verb.DECIMAL})


class Fault(enum.StrEnum):
    """What is wrong with a rule."""

    TOO_BROAD = "too broad"
    DEAD = "dead"
    EXPIRED = "expired"
    UNKNOWN_ROUTE = "unknown route"


@dataclass(frozen=True)
class RuleFault:
    """A rule, what is wrong with it, and what was found."""

    rule: str
    owner: str
    fault: Fault
    found: str


@dataclass(frozen=True)
class Check:
    """Every fault of a file of rules, how many rules it has, and those that nothing was compared for."""

    rules: int
    faults: tuple[RuleFault, ...]
    unproven: tuple[str, ...]


def check(
    book: RuleBook, on: date, routes: Collection[str], pairs: Iterable[Pair], hit: Collection[str]
) -> Check:
    """Return what is wrong with the rules on a day. `hit` are the rules that ever forgave something."""
    used, broad, compared = set(hit), dict[str, str](), set[str]()
    for pair in pairs:
        compared.add(pair.route)
        used |= {each.rule for each in compare(pair, book.terms(pair.route, pair.at)).forgiven}
        broad |= dict(_holding_much(book, pair))
    live = [rule for rule in book.rules if rule.expires is None or on < rule.expires]
    unproven = [rule for rule in live if rule.name not in used and not compared & _routes_of(rule, compared)]
    return Check(
        len(book.rules),
        (
            *(_expired(rule) for rule in book.rules if rule not in live),
            *_unknown(book, routes),
            *_broad(book, broad),
            *(_dead(rule) for rule in live if rule.name not in used and rule not in unproven),
        ),
        tuple(rule.name for rule in unproven),
    )


def _routes_of(rule: OwnRule, known: set[str]) -> set[str]:
    return known if rule.route == EVERY_ROUTE else {rule.route}


def _expired(rule: OwnRule) -> RuleFault:
    return RuleFault(rule.name, rule.owner, Fault.EXPIRED, f"it expired on {rule.expires}")


def _dead(rule: OwnRule) -> RuleFault:
    found = f"it forgave nothing in any stored answer of {rule.route}"
    return RuleFault(rule.name, rule.owner, Fault.DEAD, found)


def _unknown(book: RuleBook, routes: Collection[str]) -> Iterator[RuleFault]:
    for rule in book.rules:
        if rule.route != EVERY_ROUTE and rule.route not in routes:
            yield RuleFault(rule.name, rule.owner, Fault.UNKNOWN_ROUTE, f"no route is named {rule.route!r}")


def _broad(book: RuleBook, seen: dict[str, str]) -> Iterator[RuleFault]:
    for rule in book.rules:
        found = seen.get(rule.name) or (_breadth(rule) if rule.verb in _OF_VALUES else "")
        if found:
            yield RuleFault(rule.name, rule.owner, Fault.TOO_BROAD, f"{rule.pattern} is {found}")


def _breadth(rule: OwnRule) -> str:
    steps = rule.pattern.steps
    if not steps:
        return "a whole part of the answer"
    if steps[-1] == WILD and rule.pattern.place in TREES:
        return "every row of an array"
    if rule.pattern.place is Place.HTML and not steps[-1].startswith(("@", "#")):
        return "a whole element"
    return ""


def _holding_much(book: RuleBook, pair: Pair) -> Iterator[tuple[str, str]]:
    """Yield the rules of values whose place holds an array or an object in the control's answer."""
    rules = [rule for rule in book.rules if rule.verb in _OF_VALUES and rule.pattern.place is Place.JSON]
    tree = _tree(pair.control_answer) if rules and isinstance(pair.control_answer, Response) else None
    for rule in rules:
        if rule.applies_to(pair.route):
            for found in _at(tree, rule.pattern.steps):
                if isinstance(found, list | dict):
                    yield rule.name, "a whole array" if isinstance(found, list) else "a whole object"


def _tree(answer: Response) -> Json:
    try:
        fields = headers.fields(answer.headers)
        return lossless.parse(coding.decode(answer.body, fields.get("content-encoding", "")))
    except (ValueError, RecursionError):
        return None


def _at(tree: Json, steps: tuple[str, ...]) -> Iterator[Json]:
    if not steps:
        yield tree
        return
    for key, child in lossless.children(tree):
        is_row = isinstance(key, int) or key.isdecimal()
        if steps[0] == (WILD if is_row else key):
            yield from _at(child, steps[1:])
