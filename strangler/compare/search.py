"""Look for requests on which two sides differ, and shrink each to its smallest. Time and asking come in.

Differences that look alike are found once; the search goes on behind them for others.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from hypothesis.strategies import SearchStrategy

from strangler.compare.corpus import Asked
from strangler.compare.findings import fingerprint
from strangler.compare.replay import Question, Role
from strangler.compare.store import Judged
from strangler.compare.verdict import Verdict

MOST_FOUND = 10
EXAMPLES = 100_000  # time ends a search, not their number

Ask = Callable[[Question], Judged]


@dataclass(frozen=True)
class Smallest:
    """A request on which the sides differ, as small as it gets. `tried` counts the requests up to then."""

    question: Question
    judged: Judged
    tried: int


@dataclass(frozen=True)
class Searched:
    """What a search found, how many different requests it asked, and whether its time was over."""

    found: tuple[Smallest, ...]
    tried: int
    timed_out: bool


class _OutOfTime(Exception):
    pass


class Search:
    """One search of one route."""

    def __init__(self, route: str, ask: Ask, may_go_on: Callable[[], bool], seed: int) -> None:
        """`may_go_on` says whether there is time for another request."""
        self._route = route
        self._ask = ask
        self._may_go_on = may_go_on
        self._random = Random(seed)  # noqa: S311 - a search needs repeatability, not secrecy
        self._answers: dict[tuple[str, str, str, str], Judged] = {}
        self._known: set[str] = set()

    def run(
        self,
        probes: Iterable[Asked],
        requests: SearchStrategy[Asked],
        roles: Sequence[Role],
        most: int = MOST_FOUND,
    ) -> Searched:
        """Ask the probes, then search until time is over, `most` are found, or nothing more is."""
        questions = st.builds(
            lambda asked, role: Question(self._route, asked, role), requests, st.sampled_from(list(roles))
        )
        found: list[Smallest] = []
        try:
            for probe, role in product(probes, roles):
                if len(found) < most:
                    self._probe(Question(self._route, probe, role), found)
            while len(found) < most and (smallest := self._next(questions)):
                found.append(smallest)
                self._known.add(fingerprint(smallest.judged.comparison))
        except _OutOfTime:
            return Searched(tuple(found), len(self._answers), timed_out=True)
        return Searched(tuple(found), len(self._answers), timed_out=False)

    def _probe(self, question: Question, found: list[Smallest]) -> None:
        judged = self._judged(question, have_one=False)
        if judged is not None and self._is_new(judged):
            found.append(Smallest(question, judged, len(self._answers)))
            self._known.add(fingerprint(judged.comparison))

    def _next(self, questions: SearchStrategy[Question]) -> Smallest | None:
        best: list[Question] = []

        def differs(question: Question) -> bool:
            judged = self._judged(question, have_one=bool(best))
            is_new = judged is not None and self._is_new(judged)
            if is_new:
                best[:] = [question]
            return is_new

        try:
            smallest = find(questions, differs, settings=_SETTINGS, random=self._random)
        except NoSuchExample:
            return None
        judged = self._judged(smallest, have_one=True)
        assert judged is not None  # it was asked, or it would not have been found
        return Smallest(smallest, judged, len(self._answers))

    def _is_new(self, judged: Judged) -> bool:
        comparison = judged.comparison
        return comparison.verdict is Verdict.DIFF and fingerprint(comparison) not in self._known

    def _judged(self, question: Question, *, have_one: bool) -> Judged | None:
        """Return a question's verdict, asked once. Out of time, shrinking ends and a search breaks off."""
        asked = question.asked
        key = asked.method, asked.target, asked.headers.get("accept", ""), question.role.name
        if key not in self._answers:
            if not self._may_go_on():
                if have_one:
                    return None
                raise _OutOfTime
            self._answers[key] = self._ask(question)
        return self._answers[key]


_SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
