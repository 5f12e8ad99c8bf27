"""Judge the stored pairs again, under the rules as they are now. Needs no traffic; changes nothing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from strangler.compare.judge import compare
from strangler.compare.rule_book import RuleBook
from strangler.compare.store import Kept
from strangler.compare.verdict import Comparison, Verdict


@dataclass(frozen=True, order=True)
class Turn:
    """What became of a verdict: from what to what, on which route."""

    route: str
    before: Verdict
    after: Verdict


@dataclass(frozen=True)
class Rejudged:
    """How often each turn was taken, and the newest comparison that took it."""

    turns: tuple[tuple[Turn, int, int], ...]

    @property
    def total(self) -> int:
        """How many pairs were judged."""
        return sum(n for _, n, _ in self.turns)

    @property
    def diffs(self) -> int:
        """How many are a DIFF now."""
        return sum(n for turn, n, _ in self.turns if turn.after is Verdict.DIFF)


def again(kept: Kept, book: RuleBook) -> Comparison:
    """Return the verdict that a stored pair gets now."""
    pair = kept.judged.pair
    return compare(pair, book.terms(pair.route, pair.at))


def rejudge(kept: Iterable[Kept], book: RuleBook) -> Rejudged:
    """Return what became of every stored verdict."""
    turns: Counter[Turn] = Counter()
    example: dict[Turn, int] = {}
    for each in kept:
        turn = Turn(each.judged.pair.route, each.judged.comparison.verdict, again(each, book).verdict)
        turns[turn] += 1
        example[turn] = each.id
    return Rejudged(tuple((turn, n, example[turn]) for turn, n in sorted(turns.items())))
