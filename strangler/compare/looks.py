"""Give live pairs that differ their second look, as often as is bearable for the sides. Effects: asks them.

Until it was looked at, a pair's verdict is open: it waits in the store, and no gate passes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from proxy.pairs import Failure, Pair, Request, Response
from proxy.routes import MONOLITH
from strangler.compare.asking import Asker
from strangler.compare.findings import fingerprint
from strangler.compare.judge import compare
from strangler.compare.noise import with_noise
from strangler.compare.replay import Sides
from strangler.compare.second_look import Again, Looked, as_nobody, began, is_worth_a_look, look_again
from strangler.compare.store import Judged
from strangler.compare.terms import Terms
from strangler.compare.verdict import Comparison, Side, Verdict

MOST_TRIES = 20  # of a side that gives no answer
MOST_LAGS = 3  # looks at a pair whose copy changes again and again
NOISE_SECONDS = 600.0  # that noise is believed in before it must be seen again
SURE_SECONDS = 60.0  # that a difference is known to be one without another look

_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Copy:
    """A copy that has all that was committed before `until`, and changed last at `changed`: Unix seconds."""

    until: float
    changed: float


@dataclass(frozen=True)
class Outcome:
    """What became of one pair: its verdict, None while it must wait; and whether the sides were asked."""

    comparison: Comparison | None
    asked: bool


class Looks:
    """What was learned by second looks, and how the next one is taken."""

    def __init__(
        self,
        asker: Asker,
        sides_of: Callable[[Pair], Sides | None],
        copy_of: Callable[[str], Copy | None],
        terms_of: Callable[[Pair], Terms],
    ) -> None:
        """`sides_of` gives both sides as the pair has them, None while they cannot be asked.

        `copy_of` gives the copy that a route's service reads, None where nobody ever told of one.
        """
        self._asker = asker
        self._sides_of = sides_of
        self._copy_of = copy_of
        self._terms_of = terms_of
        self._noise: dict[str, dict[str, float]] = {}  # by route and pattern, until when
        self._sure: dict[tuple[str, str], float] = {}  # by route and fingerprint, until when
        self._tries: dict[int, int] = {}

    def judge(self, pair: Pair) -> Comparison:
        """Return the verdict by the rules and by the noise that is known."""
        terms = self._terms_of(pair)
        found = compare(pair, terms)
        if found.verdict is Verdict.DIFF and pair.route in self._noise:
            known = self._noise[pair.route].items()
            noise = frozenset(pattern for pattern, until in known if pair.at < until)
            return compare(pair, with_noise(terms, noise)) if noise else found
        return found

    def wants(self, judged: Judged) -> bool:
        """Say whether a pair should wait for a second look."""
        return is_worth_a_look(judged.pair, judged.comparison) and not self._is_sure(judged)

    def look(self, number: int, judged: Judged) -> Outcome:
        """Look at a waiting pair, under the number by which it waits."""
        pair, found = judged.pair, judged.comparison
        if self._is_sure(judged):
            self._tries.pop(number, None)
            return Outcome(found, asked=False)
        copy = self._copy_of(pair.route)
        if copy is not None and copy.until <= pair.at:
            return Outcome(None, asked=False)
        sides = self._sides_of(pair)
        if sides is None:
            return Outcome(None, asked=False)
        changed = copy is not None and copy.changed >= began(pair)
        looked = self._looked(judged, sides, changed=changed)
        tries = self._tries[number] = self._tries.get(number, 0) + 1
        if looked is None and tries < MOST_TRIES:
            return Outcome(None, asked=True)
        final = looked.comparison if looked else found
        if changed and final.verdict is Verdict.DIFF and tries < MOST_LAGS:
            return Outcome(None, asked=True)
        del self._tries[number]
        self._learn(pair, found, looked)
        return Outcome(final, asked=True)

    def _is_sure(self, judged: Judged) -> bool:
        """Say whether a difference like this one was confirmed a moment ago."""
        if not self._sure:
            return False
        until = self._sure.get((judged.pair.route, fingerprint(judged.comparison)), 0.0)
        return judged.pair.at < until

    def _looked(self, judged: Judged, sides: Sides, *, changed: bool) -> Looked | None:
        """Ask both sides again as nobody; None when one of them gives no answer."""
        pair = judged.pair

        def ask(side: Side, request: Request) -> Response | Failure:
            of = sides.control if side is Side.CONTROL else sides.candidate
            return self._asker.ask(of, request, _NOTHING)

        own = Side.CONTROL if pair.control == MONOLITH else Side.CANDIDATE
        answers = [ask(side, as_nobody(pair.request)) for side in (Side.CONTROL, Side.CANDIDATE, own)]
        got = [each for each in answers if isinstance(each, Response)]
        if len(got) < len(answers):
            return None
        return look_again(pair, self._terms_of(pair), judged.comparison, Again(*got), ask, changed=changed)

    def _learn(self, pair: Pair, found: Comparison, looked: Looked | None) -> None:
        if looked is None or looked.comparison.verdict is Verdict.DIFF:
            self._sure = {key: until for key, until in self._sure.items() if pair.at < until}
            self._sure[pair.route, fingerprint(found)] = pair.at + SURE_SECONDS
        if looked and looked.noise:
            until = pair.at + NOISE_SECONDS
            self._noise.setdefault(pair.route, {}).update(dict.fromkeys(looked.noise, until))
