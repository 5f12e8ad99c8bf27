"""Flips and their gates: what the comparer's store holds opens or closes them, and the audit says so."""

from contextlib import closing

import msgspec
import pytest

from proxy.routes import Stage
from strangler.audit import Audit
from strangler.compare.writing import Writer
from strangler.errors import GateInconclusive, GateRefused, ReasonMissing
from strangler.flip import back, flip
from strangler.gate import Passage
from strangler.gates import exit_code, gates, settle
from strangler.steps import Forward
from tests.cases.compare.answers import answer, pair
from tests.cases.compare.compared import differing, judge, matching

ROUTE = "catalog.products"
TO_CANARY = Forward(Stage.CANARY)


@pytest.fixture
def at_shadow(place, ann):
    flip(place, ROUTE, Forward(), ann)
    return place


def _record(place, ann, *judged):
    now = ann.now().timestamp()
    with closing(Writer(place.verdicts)) as writer:
        writer.record([make(now) for make in judged])


def _at(judged, at):
    return judge(msgspec.structs.replace(judged.pair, at=at))


def _matches(n):
    return [lambda now, number=number: _at(matching(number), now - 60) for number in range(n)]


def test_a_flip_without_evidence_is_inconclusive_and_changes_nothing(at_shadow, ann):
    before = at_shadow.table.read_text()
    with pytest.raises(GateInconclusive) as refused:
        flip(at_shadow, ROUTE, TO_CANARY, ann)
    assert refused.value.exit_code == 3
    assert "0 answers" in refused.value.message
    assert at_shadow.table.read_text() == before
    assert len(list(Audit(at_shadow.audit).read().changes)) == 1


def test_enough_evidence_opens_the_gate_and_goes_into_the_audit(at_shadow, ann):
    _record(at_shadow, ann, *_matches(300))
    moved = flip(at_shadow, ROUTE, TO_CANARY, ann)
    assert moved.gate.passage is Passage.PASS
    *_, change = Audit(at_shadow.audit).read().changes
    assert change.record.gate["answer"] == "pass"
    assert change.record.gate["samples"] == 300
    assert change.record.gate["forced"] is False


def test_one_structural_difference_keeps_the_gate_shut_and_is_named(at_shadow, ann):
    lost = pair(answer('{"id":1,"price":"1"}'), answer('{"id":1}'), id="lost")
    _record(at_shadow, ann, *_matches(400), lambda now: _at(judge(lost), now))
    with pytest.raises(GateRefused, match=r"missing at \$\.price differs in form, as comparison \d+"):
        flip(at_shadow, ROUTE, TO_CANARY, ann)


def test_evidence_that_is_too_old_is_none(at_shadow, ann):
    _record(at_shadow, ann, *(lambda now, n=n: _at(matching(n), now - 25 * 3600) for n in range(300)))
    with pytest.raises(GateInconclusive):
        flip(at_shadow, ROUTE, TO_CANARY, ann)


def test_evidence_of_another_route_is_none(at_shadow, ann):
    _record(at_shadow, ann, *(lambda now, n=n: _at(matching(n, route="x"), now) for n in range(300)))
    with pytest.raises(GateInconclusive):
        flip(at_shadow, ROUTE, TO_CANARY, ann)


def test_force_needs_a_reason(at_shadow, ann):
    with pytest.raises(ReasonMissing):
        flip(at_shadow, ROUTE, Forward(Stage.CANARY, force=True), ann)


def test_force_is_recorded_with_what_it_overrode(at_shadow, ann):
    _record(at_shadow, ann, lambda now: _at(differing(1), now))
    flip(at_shadow, ROUTE, Forward(Stage.CANARY, force=True, reason="a known price"), ann)
    *_, change = Audit(at_shadow.audit).read().changes
    assert change.record.reason == "a known price"
    assert change.record.gate["forced"] is True
    assert change.record.gate["answer"] == "refused"
    assert any("1 of 1 answers differ" in reason for reason in change.record.gate["reasons"])


def test_going_back_asks_no_gate(at_shadow, ann):
    flip(at_shadow, ROUTE, Forward(Stage.CANARY, force=True, reason="a test"), ann)
    at_shadow.verdicts.write_bytes(b"no store" * 1000)
    assert back(at_shadow, ROUTE, Stage.MONOLITH, "", ann).changed


def test_a_store_that_cannot_be_read_is_inconclusive(at_shadow, ann):
    at_shadow.verdicts.write_bytes(b"no store" * 1000)
    with pytest.raises(GateInconclusive):
        flip(at_shadow, ROUTE, TO_CANARY, ann)


def test_a_gate_that_the_table_switches_off_is_not_asked(at_shadow, ann):
    text = at_shadow.table.read_text()
    at_shadow.table.write_text(text.replace("# the list", "\ngate = { enabled = false }", 1))
    assert flip(at_shadow, ROUTE, TO_CANARY, ann).gate is None


def test_settled_differences_close_no_gate_any_more(at_shadow, ann):
    _record(at_shadow, ann, lambda now: _at(differing(1), now - 10))
    assert exit_code(gates(at_shadow, ROUTE, ann.now())) == 2
    settle(at_shadow, ROUTE, "mended in 1.2", ann)
    assert exit_code(gates(at_shadow, ROUTE, ann.now())) == 3
    _record(at_shadow, ann, *(lambda now, n=n: _at(matching(n), now + 1) for n in range(300)))
    assert exit_code(gates(at_shadow, ROUTE, ann.now())) == 0


def test_a_settled_difference_of_form_refuses_no_more(at_shadow, ann):
    lost = pair(answer('{"id":1,"price":"1"}'), answer('{"id":1}'), id="lost")
    _record(at_shadow, ann, lambda now: _at(judge(lost), now - 10))
    settle(at_shadow, ROUTE, "mended in 1.2", ann)
    assert exit_code(gates(at_shadow, ROUTE, ann.now())) == 3


def test_settling_needs_a_reason(at_shadow, ann):
    with pytest.raises(ReasonMissing):
        settle(at_shadow, ROUTE, "", ann)


@pytest.fixture
def at_service(place, ann):
    for step in (Forward(), *(Forward(force=True, reason="test"),) * 2):
        flip(place, ROUTE, step, ann)
    return place


def _reverse(n):
    return [
        lambda now, number=number: _at(matching(number, stage="service"), now - 60) for number in range(n)
    ]


def test_the_monolith_is_not_let_go_on_what_was_compared_before_the_flip(at_service, ann):
    _record(at_service, ann, *_matches(1000))
    with pytest.raises(GateInconclusive, match="0 answers of the last 24 h at service") as refused:
        flip(at_service, ROUTE, Forward(), ann)
    assert "shadow = { percent = 100 }" in refused.value.next
    assert [each.gate.samples for each in gates(at_service, ROUTE, ann.now())] == [0]


def test_reverse_shadows_without_a_difference_let_a_route_retire(at_service, ann):
    _record(at_service, ann, *_reverse(300))
    assert flip(at_service, ROUTE, Forward(), ann).target.stage is Stage.RETIRED
    assert [each.gate for each in gates(at_service, ROUTE, ann.now())] == [None]


def test_one_difference_of_form_behind_the_service_keeps_the_monolith(at_service, ann):
    lost = pair(answer('{"id":1,"price":"1"}'), answer('{"id":1}'), id="lost", stage="service")
    _record(at_service, ann, *_reverse(400), lambda now: _at(judge(lost), now))
    with pytest.raises(GateRefused, match=r"missing at \$\.price"):
        flip(at_service, ROUTE, Forward(), ann)


def test_a_route_retires_without_evidence_by_force_and_a_reason_alone(at_service, ann):
    with pytest.raises(ReasonMissing):
        flip(at_service, ROUTE, Forward(force=True), ann)
    flip(at_service, ROUTE, Forward(force=True, reason="the monolith is switched off today"), ann)
    *_, change = Audit(at_service.audit).read().changes
    assert change.record.gate["forced"] is True
