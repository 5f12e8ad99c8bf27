"""Give live pairs that differ their second look, as often as is bearable for the sides. Effects: asks them.

Until it was looked at, a pair's verdict is open: it waits in the store, and no gate passes.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from proxy.pairs import Failure, Pair, Request, Response
from proxy.routes import MONOLITH
from strangler.compare.asking import Asker
from strangler.compare.findings import fingerprint
from strangler.compare.judge import compare
from strangler.compare.noise import with_noise
from strangler.compare.replay import Sides
from strangler.compare.second_look import Again, Ask, Looked, as_nobody, began, is_worth_a_look, look_again
from strangler.compare.store import Judged
from strangler.compare.terms import Terms
from strangler.compare.verdict import Comparison, Side, Verdict

MOST_TRIES = 20  # of a side that gives no answer
MOST_LAGS = 10  # looks at a pair whose copy changes again and again
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


@dataclass(frozen=True)
class _Asked:
    """What both sides answered again, before `at`; the copy had changed at `changed` when it was asked."""

    again: Again
    sides: Sides
    at: float
    changed: float | None


class Looks:
    """What was learned by second looks, and how the next one is taken."""

    def __init__(
        self,
        asker: Asker,
        sides_of: Callable[[Pair], Sides | None],
        copy_of: Callable[[str], Copy | None],
        terms_of: Callable[[Pair], Terms],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`sides_of` gives both sides as the pair has them, None while they cannot be asked.

        `copy_of` gives the copy that a route's service reads, None where nobody ever told of one, and `clock`
        Unix seconds.
        """
        self._asker = asker
        self._sides_of = sides_of
        self._copy_of = copy_of
        self._terms_of = terms_of
        self._noise: dict[str, dict[str, float]] = {}  # by route and pattern, until when
        self._sure: dict[tuple[str, str], float] = {}  # by route and fingerprint, until when
        self._tries: dict[int, int] = {}  # by the number of a pair that waits
        self._asked: dict[int, _Asked] = {}  # likewise
        self._clock = clock

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
            self._asked.pop(number, None)
            return Outcome(found, asked=False)
        copy, asked = self._copy_of(pair.route), self._asked.get(number)
        if copy is not None and copy.until <= (asked.at if asked else pair.at):
            return Outcome(None, asked=False)
        if asked is not None:
            return self._decide(number, judged, asked, copy)
        sides = self._sides_of(pair)
        if sides is None:
            return Outcome(None, asked=False)
        return self._ask_again(number, judged, sides, copy)

    def _ask_again(self, number: int, judged: Judged, sides: Sides, copy: Copy | None) -> Outcome:
        """Ask both sides; what they say is judged once the copy has passed that moment, too."""
        tries = self._tries[number] = self._tries.get(number, 0) + 1
        again = self._again(judged.pair, sides)
        if again is None and tries < MOST_TRIES:
            return Outcome(None, asked=True)
        if again is None:
            return self._final(number, judged, Looked(judged.comparison))
        asked = _Asked(again, sides, self._clock(), copy.changed if copy else None)
        if copy is None:
            return self._decide(number, judged, asked, copy)
        self._asked[number] = asked
        return Outcome(None, asked=True)

    def _decide(self, number: int, judged: Judged, asked: "_Asked", copy: Copy | None) -> Outcome:
        pair = judged.pair
        self._asked.pop(number, None)
        looked = look_again(
            pair,
            self._terms_of(pair),
            judged.comparison,
            asked.again,
            self._asking(asked.sides),
            changed=asked.changed is not None and asked.changed >= began(pair),
            quiet=copy is None or copy.changed < began(pair),
        )
        is_calm = copy is None or copy.changed == asked.changed
        if looked.comparison.verdict is Verdict.DIFF and not is_calm and self._tries[number] < MOST_LAGS:
            return Outcome(None, asked=True)
        return self._final(number, judged, looked if is_calm else replace(looked, confirmed=False))

    def _final(self, number: int, judged: Judged, looked: Looked) -> Outcome:
        self._tries.pop(number, None)
        self._learn(judged.pair, judged.comparison, looked)
        return Outcome(looked.comparison, asked=True)

    def _is_sure(self, judged: Judged) -> bool:
        """Say whether a difference like this one was confirmed a moment ago."""
        if not self._sure:
            return False
        until = self._sure.get((judged.pair.route, fingerprint(judged.comparison)), 0.0)
        return judged.pair.at < until

    def _asking(self, sides: Sides) -> Ask:
        def ask(side: Side, request: Request) -> Response | Failure:
            of = sides.control if side is Side.CONTROL else sides.candidate
            return self._asker.ask(of, request, _NOTHING)

        return ask

    def _again(self, pair: Pair, sides: Sides) -> Again | None:
        """Ask both sides again as nobody, the monolith twice; None when one of them gives no answer."""
        ask = self._asking(sides)
        own = Side.CONTROL if pair.control == MONOLITH else Side.CANDIDATE
        answers = [ask(side, as_nobody(pair.request)) for side in (Side.CONTROL, Side.CANDIDATE, own)]
        got = [each for each in answers if isinstance(each, Response)]
        return Again(*got) if len(got) == len(answers) else None

    def _learn(self, pair: Pair, found: Comparison, looked: Looked) -> None:
        if looked.confirmed:
            self._sure = {key: until for key, until in self._sure.items() if pair.at < until}
            self._sure[pair.route, fingerprint(found)] = pair.at + SURE_SECONDS
        if looked.noise:
            until = pair.at + NOISE_SECONDS
            self._noise.setdefault(pair.route, {}).update(dict.fromkeys(looked.noise, until))
