"""Give the verdict on one request asked of both sides. Pure: no network, no clock, no file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from proxy.pairs import Failure, Pair, Response
from strangler.compare import bodies, cookies, headers, media, rehearsed, statuses
from strangler.compare.exchange import Exchange, exchange_of_pair
from strangler.compare.headers import Fields
from strangler.compare.media import Shape
from strangler.compare.path import Path, Place
from strangler.compare.rules import Rule
from strangler.compare.structure import Finding
from strangler.compare.terms import Arrangement, Terms
from strangler.compare.verdict import (
    Comparison,
    Difference,
    Forgiven,
    Kind,
    Obstacle,
    Outage,
    Side,
    Verdict,
    Weight,
)

MAX_DIFFERENCES = 100  # of one pair; the verdict is certain after the first
MAX_TEXT = 1000  # characters kept of each side of a difference

AS_SHIPPED = Terms()


def compare(pair: Pair, terms: Terms = AS_SHIPPED) -> Comparison:
    """Return the verdict on one pair."""
    control, candidate = pair.control_answer, pair.candidate_answer
    if isinstance(control, Failure) or isinstance(candidate, Failure):
        return Comparison(Verdict.INFRA, outages=tuple(_outages(control, candidate)))
    return compare_answers(exchange_of_pair(pair), control, candidate, terms)


def compare_answers(
    exchange: Exchange, control: Response, candidate: Response, terms: Terms = AS_SHIPPED
) -> Comparison:
    """Return the verdict on two answers to one exchange."""
    if exchange.is_safe:
        return _judge(exchange, control, candidate, (), terms)
    heard = rehearsed.hear(exchange, control, candidate)
    if heard.veto is not None:
        return Comparison(Verdict.NOT_COMPARABLE, obstacle=heard.veto)
    return heard.settled(_judge(exchange, heard.control, heard.candidate, heard.findings, terms))


def _judge(
    exchange: Exchange, control: Response, candidate: Response, written: Iterable[Finding], terms: Terms
) -> Comparison:
    forgiving = _Forgiving(exchange, terms.rules)
    by = Arrangement(
        terms.lists, terms.renames, lambda difference: forgiving.rule_for(difference) is not None
    )
    return _settle(chain(_findings(exchange, control, candidate, by), written), forgiving)


def _outages(control: Response | Failure, candidate: Response | Failure) -> Iterator[Outage]:
    for side, answer in ((Side.CONTROL, control), (Side.CANDIDATE, candidate)):
        if isinstance(answer, Failure):
            yield Outage(side, answer.error)


def _findings(
    exchange: Exchange, control: Response, candidate: Response, by: Arrangement
) -> Iterator[Finding]:
    for difference in statuses.differences(control.status, candidate.status):
        yield difference
        if difference.kind is Kind.STATUS:  # all else differs with it
            return
    yield from cookies.differences(
        headers.cookie_lines(control.headers), headers.cookie_lines(candidate.headers)
    )
    yield from _after_status(exchange, control, candidate, by)


def _after_status(
    exchange: Exchange, control: Response, candidate: Response, by: Arrangement
) -> Iterator[Finding]:
    ours, theirs = headers.fields(control.headers), headers.fields(candidate.headers)
    shapes = (
        media.parse(ours.get("content-type", "")).shape,
        media.parse(theirs.get("content-type", "")).shape,
    )
    if control.status in statuses.REDIRECTS:
        yield from headers.differences(ours, theirs, without="content-type")
        yield from _in_redirects(control, candidate, (ours, theirs))
    elif control.status >= 400 and shapes[0] is not shapes[1]:
        yield from headers.differences(ours, theirs, without="content-type")
        yield Difference(Kind.ERROR_SHAPE, Path(Place.BODY), shapes[0].value, shapes[1].value)
    else:
        yield from headers.differences(ours, theirs)
        if exchange.method != "HEAD":
            yield from _bodies(control, candidate, (ours, theirs), shapes, by)


def _in_redirects(control: Response, candidate: Response, fields: tuple[Fields, Fields]) -> Iterator[Finding]:
    types = [each.get("content-type") for each in fields]
    if types[0] != types[1]:
        yield Difference(Kind.REDIRECT, Path(Place.HEADER, ("content-type",)), *types)
    if control.body != candidate.body:
        ours, theirs = bodies.digest(control.body), bodies.digest(candidate.body)
        yield Difference(Kind.REDIRECT, Path(Place.BODY), ours, theirs)


def _bodies(
    control: Response,
    candidate: Response,
    fields: tuple[Fields, Fields],
    shapes: tuple[Shape, Shape],
    by: Arrangement,
) -> Iterator[Finding]:
    codings = fields[0].get("content-encoding", ""), fields[1].get("content-encoding", "")
    shape = shapes[0] if shapes[0] is shapes[1] else Shape.BINARY
    return bodies.findings(control, candidate, codings, shape, by)


@dataclass(frozen=True)
class _Forgiving:
    exchange: Exchange
    rules: Sequence[Rule]

    def rule_for(self, difference: Difference) -> Rule | None:
        return next((rule for rule in self.rules if rule.forgives(difference, self.exchange)), None)


@dataclass
class _Ledger:
    differences: list[Difference] = field(default_factory=list)
    forgiven: dict[tuple[str, str], Forgiven] = field(default_factory=dict)  # one for each rule and pattern
    is_expected: bool = False
    obstacle: Obstacle | None = None

    def forgive(self, forgiven: Forgiven) -> None:
        self.is_expected |= forgiven.weight is Weight.EXPECTED
        key = (forgiven.rule, forgiven.difference.path.pattern)
        if key not in self.forgiven and len(self.forgiven) < MAX_DIFFERENCES:
            short = _abridged(forgiven.difference)
            self.forgiven[key] = (
                forgiven if short is forgiven.difference else replace(forgiven, difference=short)
            )

    def comparison(self) -> Comparison:
        return Comparison(
            self._verdict(), tuple(self.differences), tuple(self.forgiven.values()), self.obstacle
        )

    def _verdict(self) -> Verdict:
        if self.differences:
            return Verdict.DIFF
        if self.obstacle:
            return Verdict.NOT_COMPARABLE
        return Verdict.EXPECTED if self.is_expected else Verdict.MATCH


def _settle(findings: Iterable[Finding], forgiving: _Forgiving) -> Comparison:
    ledger = _Ledger()
    for finding in findings:
        if isinstance(finding, Obstacle):
            ledger.obstacle = ledger.obstacle or finding
        elif isinstance(finding, Forgiven):
            ledger.forgive(finding)
        elif rule := forgiving.rule_for(finding):
            ledger.forgive(Forgiven(rule.name, rule.weight, finding))
        else:
            ledger.differences.append(_abridged(finding))
        if len(ledger.differences) >= MAX_DIFFERENCES:
            break
    return ledger.comparison()


def _abridged(difference: Difference) -> Difference:
    one, other = difference.control, difference.candidate
    if len(one or "") <= MAX_TEXT and len(other or "") <= MAX_TEXT:
        return difference
    return replace(difference, control=_cut(one), candidate=_cut(other))


def _cut(text: str | None) -> str | None:
    if text is None or len(text) <= MAX_TEXT:
        return text
    return f"{text[:MAX_TEXT]}… ({len(text)} characters)"
