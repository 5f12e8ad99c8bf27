"""Ask both sides the requests of a corpus, as several roles, at a rate, and judge each pair of answers.

Only what is safe to ask twice: a write is never performed for comparison.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import msgspec

from proxy.match import BadPath, Matcher, canonical_path
from proxy.pairs import Failure, Pair, Request, Response
from proxy.routes import SAFE_METHODS, Route, RouteTable
from strangler.compare.asking import Asker, Side
from strangler.compare.corpus import Asked
from strangler.compare.following import compare_followed
from strangler.compare.judge import compare
from strangler.compare.noise import noise_of, with_noise
from strangler.compare.rule_book import RuleBook
from strangler.compare.store import Judged
from strangler.compare.verdict import Comparison, Verdict
from strangler.compare.verdict import Side as VerdictSide

STAGE = "replay"  # what reports call it, beside the stages of live pairs
AHEAD = 4  # questions prepared for each thread; more would only be memory


@dataclass(frozen=True)
class Role:
    """Who asks, and the headers that prove it."""

    name: str
    credentials: Mapping[str, str]


@dataclass(frozen=True)
class Sides:
    """The two that are asked."""

    control: Side
    candidate: Side


@dataclass(frozen=True)
class Question:
    """One request of a route, as a role."""

    route: str
    asked: Asked
    role: Role


@dataclass(frozen=True)
class Plan:
    """What will be asked, and how many requests of the corpus cannot be: writes, and those of no route."""

    questions: tuple[Question, ...]
    writes: int
    unrouted: int


def plan(corpus: Sequence[Asked], table: RouteTable, roles: Sequence[Role], only: str | None = None) -> Plan:
    """Return the questions of a corpus. Pure."""
    matcher = Matcher(table.routes.values())
    questions: list[Question] = []
    writes = unrouted = 0
    for asked in corpus:
        route = route_of(matcher, asked)
        if asked.method not in SAFE_METHODS:
            writes += 1
        elif route is None:
            unrouted += 1
        elif only in (None, route.name):
            questions += [Question(route.name, asked, role) for role in roles]
    return Plan(tuple(questions), writes, unrouted)


def route_of(matcher: Matcher, asked: Asked) -> Route | None:
    """Return the route of a request, as the proxy would find it."""
    path = asked.target.partition("?")[0].encode("latin-1", "replace")
    try:
        return matcher.find(asked.method.encode(), canonical_path(path))
    except BadPath:
        return None


class Replay:
    """Asks questions from several threads."""

    def __init__(
        self,
        asker: Asker,
        sides_of: Callable[[str], Sides],
        book: RuleBook,
        version: str,
        stage: str = STAGE,
    ) -> None:
        """`sides_of` gives the two sides of a route by its name."""
        self._asker = asker
        self._sides_of = sides_of
        self._book = book
        self._version = version
        self._stage = stage

    def ask(self, question: Question) -> Judged:
        """Ask both sides one question, the control first, and return the verdict."""
        request, sides = question.asked.request, self._sides_of(question.route)
        control = self._asker.ask(sides.control, request, question.role.credentials)
        candidate = self._asker.ask(sides.candidate, request, question.role.credentials)
        pair = Pair(
            uuid.uuid4().hex,
            time.time(),
            question.route,
            self._stage,
            self._version,
            sides.control.name,
            sides.candidate.name,
            _as_asked(request, sides.control, question.role),
            control,
            candidate,
            question.role.name,
        )
        return Judged(pair, self._verdict(pair, question, sides))

    def _verdict(self, pair: Pair, question: Question, sides: Sides) -> Comparison:
        """Return the verdict, after a second look at what differs: is it a cursor, or the monolith itself?"""
        terms = self._book.terms(pair.route, pair.at)
        found = compare(pair, terms)
        if found.verdict is not Verdict.DIFF:
            return found

        def follow(side: VerdictSide, target: str) -> Response | Failure:
            asked = Request(pair.request.method, target, question.asked.request.headers, b"")
            of = sides.control if side is VerdictSide.CONTROL else sides.candidate
            return self._asker.ask(of, asked, question.role.credentials)

        if followed := compare_followed(pair, terms, follow):
            return followed
        again = follow(VerdictSide.CONTROL, pair.request.target)
        noisy = noise_of(pair, again, terms) if isinstance(again, Response) else frozenset()
        return compare(pair, with_noise(terms, noisy)) if noisy else found

    def ask_all(self, questions: Iterable[Question], *, rate: float, threads: int) -> Iterator[Judged]:
        """Yield the verdicts in the order of the questions, at most `rate` questions a second."""
        paced = _paced(questions, rate)
        with ThreadPoolExecutor(threads) as pool:
            running = [pool.submit(self.ask, each) for each in islice(paced, threads * AHEAD)]
            while running:
                yield running.pop(0).result()
                running += [pool.submit(self.ask, each) for each in islice(paced, 1)]


def _paced(questions: Iterable[Question], rate: float) -> Iterator[Question]:
    started = time.monotonic()
    for number, question in enumerate(questions):
        ahead = started + number / rate - time.monotonic() if rate else 0.0
        if ahead > 0:
            time.sleep(ahead)
        yield question


def _as_asked(request: Request, control: Side, role: Role) -> Request:
    """Return the request with what the answers' own host is known by, and who asked, for a repetition."""
    host = control.url.partition("://")[2].rstrip("/")
    headers = ((b"Host", host.encode()), (b"X-Forwarded-Proto", control.url.partition(":")[0].encode()))
    proof = tuple((name.encode(), value.encode()) for name, value in role.credentials.items())
    return msgspec.structs.replace(request, headers=headers + request.headers + proof)
