"""List every rule that can forgive, shipped or own, with how often it did. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from strangler.compare import following, noise, rows
from strangler.compare.rule_book import EVERY_ROUTE, RuleBook, Verb
from strangler.compare.rules import SHIPPED
from strangler.compare.store import Hit
from strangler.compare.verdict import Weight

THE_KIT = "the kit"
OF_A_SECOND_LOOK = (noise.rule(frozenset()), following.rule())  # where both sides can be asked again


@dataclass(frozen=True)
class ListedRule:
    """One rule as a person reads it. `last_at` is in Unix seconds, None where it forgave nothing yet."""

    name: str
    weight: Weight
    route: str
    does: str
    reason: str
    owner: str
    expires: date | None
    hits: int
    last_at: float | None


def list_rules(book: RuleBook, hits: Iterable[Hit], route: str | None = None) -> tuple[ListedRule, ...]:
    """Return the shipped rules, then the team's; with a route only what holds there."""
    found: dict[str, list[Hit]] = {}
    for hit in hits:
        if route in (None, hit.route):
            found.setdefault(hit.rule, []).append(hit)
    kits = (*SHIPPED, *OF_A_SECOND_LOOK, rows.rule())
    shipped = [(rule.name, rule.weight, EVERY_ROUTE, "", rule.why, THE_KIT, None) for rule in kits]
    own = [
        (rule.name, _weight(rule.verb), rule.route, rule.says, rule.reason, rule.owner, rule.expires)
        for rule in book.rules
        if route is None or rule.applies_to(route)
    ]
    return tuple(
        ListedRule(
            *fields,
            hits=sum(hit.n for hit in found.get(fields[0], [])),
            last_at=max((hit.last_at for hit in found.get(fields[0], [])), default=None),
        )
        for fields in (*shipped, *own)
    )


def _weight(verb: Verb) -> Weight:
    return Weight.NOTE if verb in (Verb.UNORDERED, Verb.KEY) else Weight.EXPECTED
