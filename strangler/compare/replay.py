"""Ask both sides the requests of a corpus, as several roles, at a rate, and judge each pair of answers.

Only what is safe to ask twice: a write is never performed for comparison. One that was recorded with the
control's answer is rehearsed by the service alone, and compared with that.
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
from proxy.routes import MONOLITH, SAFE_METHODS, Route, RouteTable
from strangler.compare import case_files
from strangler.compare.asking import Asker, Side
from strangler.compare.corpus import Answered, Asked
from strangler.compare.following import compare_followed
from strangler.compare.judge import compare
from strangler.compare.noise import noise_of, with_noise
from strangler.compare.rule_book import RuleBook
from strangler.compare.store import Judged
from strangler.compare.verdict import Comparison, Verdict
from strangler.compare.verdict import Side as VerdictSide

STAGE = "replay"  # what reports call it, beside the stages of live pairs
Rehearse = Callable[[str, Request, Mapping[str, str]], Response | Failure]  # route, write, credentials

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


def plan(
    corpus: Sequence[Asked],
    table: RouteTable,
    roles: Sequence[Role],
    only: str | None = None,
    *,
    rehearses: bool = False,
) -> Plan:
    """Return the questions of a corpus; a recorded write, where it can be rehearsed, as who sent it. Pure."""
    matcher = Matcher(table.routes.values())
    questions: list[Question] = []
    writes = unrouted = 0
    for asked in corpus:
        route = route_of(matcher, asked)
        whom = roles
        if asked.method not in SAFE_METHODS:
            whom = [role for role in roles if asked.answered and role.name == asked.answered.role]
            if not rehearses or not whom:
                writes += 1
                continue
        if route is None:
            unrouted += 1
        elif only in (None, route.name):
            questions += [Question(route.name, asked, role) for role in whom]
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
        rehearse: Rehearse | None = None,
    ) -> None:
        """`sides_of` gives the two sides of a route by its name."""
        self._rehearse = rehearse
        self._asker = asker
        self._sides_of = sides_of
        self._book = book
        self._version = version
        self._stage = stage

    def ask(self, question: Question) -> Judged:
        """Ask both sides one question, the control first, and return the verdict."""
        if question.asked.answered is not None and self._rehearse is not None:
            return self._rehearsed(question, question.asked.answered, self._rehearse)
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

    def _rehearsed(self, question: Question, answered: Answered, rehearse: Rehearse) -> Judged:
        """Have the service alone rehearse a write; both answers without secrets, as the recorded one is."""
        request, sides = question.asked.request, self._sides_of(question.route)
        pair = rehearsed_pair(
            question.route,
            request,
            answered.response,
            case_files.masked_answer(rehearse(question.route, request, question.role.credentials)),
            at=time.time(),
            control_at=answered.at,
            version=self._version,
            service=sides.candidate.name,
            role=question.role.name,
        )
        return Judged(pair, compare(pair, self._book.terms(pair.route, pair.at)))

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


def rehearsed_pair(
    route: str,
    request: Request,
    control: Response | Failure,
    candidate: Response | Failure,
    *,
    at: float,
    control_at: float,
    version: str,
    service: str,
    role: str,
) -> Pair:
    """Return a recorded write with the answer of a rehearsal of now."""
    return Pair(
        uuid.uuid4().hex, at, route, STAGE, version, MONOLITH, service, request, control, candidate, role,
        rehearsed=True, control_at=control_at,
    )  # fmt: skip


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
