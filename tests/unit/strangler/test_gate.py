"""A gate opens on evidence alone: enough of it, of every kind asked for, without one difference of form."""

import pytest

from proxy.routes import GateOptions, Route, Stage
from strangler.compare.circumstances import Circumstances
from strangler.compare.findings import Finding, Subject
from strangler.compare.store import Evidence, Found
from strangler.compare.verdict import Kind, Verdict
from strangler.gate import Known, Passage, ask_gate, is_gated, record_of, structural
from strangler.steps import Position

OPTIONS = GateOptions()
ANONYMOUS = Circumstances("GET", "2xx", "anonymous")


def _evidence(n: int, verdict: Verdict = Verdict.MATCH, asked: Circumstances = ANONYMOUS) -> Evidence:
    return Evidence(asked, verdict, n, 10.0, 20.0)


def _ask(*evidence: Evidence, options: GateOptions = OPTIONS, structural: tuple[Found, ...] = ()):
    return ask_gate(options, Known(evidence, structural))


def _found(kind: Kind, subject: Subject = Subject.DIFFERENCE) -> Found:
    return Found("r", "shadow", Finding(subject, kind.value, "$.a"), 1, 20.0, 7)


def _route(stage: Stage, percent: float = 0.0, methods=("GET",), **gate) -> Route:
    return Route("r", "g", "/", methods, stage, percent, gate=GateOptions(**gate))


def test_nothing_known_is_never_a_pass():
    gate = _ask()
    assert gate.passage is Passage.INCONCLUSIVE
    assert "0 answers of the last 24 h were compared, 300 are wanted" in gate.reasons


def test_300_without_a_difference_pass_and_299_do_not():
    assert _ask(_evidence(299)).passage is Passage.INCONCLUSIVE
    gate = _ask(_evidence(300))
    assert (gate.passage, gate.samples, gate.diffs) == (Passage.PASS, 300, 0)
    assert 0.99 < gate.bound < 1.0


def test_one_structural_difference_in_a_million_refuses_and_names_its_example():
    gate = _ask(_evidence(1_000_000), _evidence(1, Verdict.DIFF), structural=(_found(Kind.TYPE),))
    assert gate.passage is Passage.REFUSED
    assert gate.reasons == ("type at $.a differs in form, as comparison 7",)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_but_those_of_a_value_is_structural(kind):
    is_of_a_value = kind in (
        *(Kind.VALUE, Kind.NUMBER_FORM, Kind.TIME_FORMAT, Kind.UNICODE_FORM, Kind.PRECISION_LOST),
    )
    assert bool(structural([_found(kind)])) is not is_of_a_value


def test_what_a_rule_forgave_is_not_structural():
    assert structural([_found(Kind.REDIRECT, Subject.EXPECTED)]) == ()


def test_one_differing_value_in_300_is_inconclusive_and_in_1000_passes():
    assert _ask(_evidence(299), _evidence(1, Verdict.DIFF)).passage is Passage.INCONCLUSIVE
    assert _ask(_evidence(999), _evidence(1, Verdict.DIFF)).passage is Passage.PASS


def test_more_differing_values_than_allowed_refuse():
    gate = _ask(_evidence(900), _evidence(100, Verdict.DIFF))
    assert gate.passage is Passage.REFUSED
    assert "100 of 1,000 answers differ, at most 1 % may" in gate.reasons


@pytest.mark.parametrize("verdict", [Verdict.NOT_COMPARABLE, Verdict.INFRA])
def test_what_could_not_be_compared_never_opens_the_gate(verdict):
    assert _ask(_evidence(1_000_000, verdict)).passage is Passage.INCONCLUSIVE
    gate = _ask(_evidence(300), _evidence(30, verdict))
    assert (gate.passage, gate.unknown) == (Passage.INCONCLUSIVE, 30)


def test_a_few_answers_that_could_not_be_compared_do_not_close_it():
    assert _ask(_evidence(2000), _evidence(2, Verdict.INFRA)).passage is Passage.PASS


def test_expected_counts_as_the_same():
    assert _ask(_evidence(300, Verdict.EXPECTED)).passage is Passage.PASS


@pytest.mark.parametrize("wanted", ["GET 2xx anonymous", "GET", "2xx", "anonymous", "GET anonymous"])
def test_declared_circumstances_that_were_seen_pass(wanted):
    assert _ask(_evidence(300), options=GateOptions(cover=(wanted,))).passage is Passage.PASS


@pytest.mark.parametrize("wanted", ["HEAD", "GET 4xx", "GET 2xx staff", "user"])
def test_declared_circumstances_that_were_not_seen_keep_it_shut(wanted):
    gate = _ask(_evidence(300), options=GateOptions(cover=(wanted,)))
    assert gate.passage is Passage.INCONCLUSIVE
    assert gate.reasons == (f"no answer to {wanted} was compared",)


def test_circumstances_that_could_not_be_compared_are_not_covered():
    staff = Circumstances("GET", "2xx", "staff")
    known = (_evidence(3000), _evidence(1, Verdict.NOT_COMPARABLE, staff))
    assert _ask(*known, options=GateOptions(cover=("staff",))).passage is Passage.INCONCLUSIVE


def test_a_refusal_also_says_what_is_missing():
    gate = _ask(_evidence(1, Verdict.DIFF), structural=(_found(Kind.STATUS),))
    assert gate.passage is Passage.REFUSED
    assert any("300 are wanted" in reason for reason in gate.reasons)


@pytest.mark.parametrize(
    ("route", "target", "gated"),
    [
        (_route(Stage.MONOLITH), Position(Stage.SHADOW), False),
        (_route(Stage.SHADOW), Position(Stage.CANARY, 1), True),
        (_route(Stage.MONOLITH), Position(Stage.SERVICE), True),
        (_route(Stage.CANARY, 10), Position(Stage.CANARY, 20), True),
        (_route(Stage.CANARY, 10), Position(Stage.CANARY, 5), False),
        (_route(Stage.CANARY, 100), Position(Stage.SERVICE), False),
        (_route(Stage.CANARY, 50), Position(Stage.SERVICE), True),
        (_route(Stage.SHADOW, methods=("POST",)), Position(Stage.CANARY, 1), False),
        (_route(Stage.SHADOW, enabled=False), Position(Stage.CANARY, 1), False),
        (_route(Stage.SERVICE), Position(Stage.RETIRED), True),
        (_route(Stage.SHADOW), Position(Stage.RETIRED), True),
        (_route(Stage.RETIRED), Position(Stage.RETIRED), False),
        (_route(Stage.SERVICE, methods=("POST",)), Position(Stage.RETIRED), False),
    ],
)
def test_a_step_is_gated_when_the_service_is_relied_upon_more(route, target, gated):
    assert is_gated(route, target) is gated


def test_the_record_says_what_was_overridden():
    record = record_of(_ask(_evidence(2)), forced=True)
    assert (record["answer"], record["forced"], record["samples"]) == ("inconclusive", True, 2)
    assert record["reasons"]


def test_a_gate_says_what_circumstances_were_compared():
    staff = Circumstances("GET", "4xx", "staff")
    of_staff = _evidence(5, Verdict.MATCH, staff)
    gate = _ask(_evidence(7), _evidence(2, Verdict.DIFF), of_staff, _evidence(9, Verdict.INFRA))
    assert gate.seen == {"GET 2xx anonymous": 9, "GET 4xx staff": 5}


def test_a_difference_that_waits_for_a_second_look_lets_nothing_pass():
    gate = ask_gate(OPTIONS, Known((_evidence(1_000_000),), waiting=1))
    assert (gate.passage, gate.reasons) == (
        Passage.INCONCLUSIVE,
        ("differences that wait for a second look: 1",),
    )


def test_a_route_may_bear_as_much_without_a_comparison_as_it_says_and_no_more():
    options = GateOptions(max_unknown=40)
    lost = [_evidence(199, Verdict.NOT_COMPARABLE), _evidence(1, Verdict.INFRA)]
    assert _ask(_evidence(300), *lost, options=options).passage is Passage.PASS
    assert _ask(_evidence(299), *lost, options=options).passage is Passage.INCONCLUSIVE
    more = _evidence(2, Verdict.NOT_COMPARABLE)
    assert _ask(_evidence(300), *lost, more, options=options).passage is Passage.INCONCLUSIVE
    differing = _evidence(4, Verdict.DIFF)
    assert _ask(_evidence(300), *lost, differing, options=options).passage is Passage.REFUSED
