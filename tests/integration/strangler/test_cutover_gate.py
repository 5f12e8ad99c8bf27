"""A cutover and the gates of its writing routes: what rehearsals showed opens or closes them."""

import json
from contextlib import closing

import msgspec
import pytest
from click.testing import CliRunner

from proxy.routes import Owner
from strangler.audit import Audit
from strangler.cli import main
from strangler.compare.writing import Writer
from strangler.cutover_gate import audited, require_passage, write_gates
from strangler.errors import GateInconclusive, GateRefused, ReasonMissing
from strangler.gate import Passage
from strangler.gates import gates
from strangler.owner import name_owner
from tests.cases.compare.answers import request
from tests.cases.compare.compared import judge, matching
from tests.cases.compare.written import rehearsed, row, told, wrote

ROUTE = "catalog.edit"
REHEARSED = """\
stage = "shadow"
shadow = { percent = 100, rehearse = true }
gate = { min_samples = 20, cover = ["PATCH 2xx"] }
"""


@pytest.fixture
def rehearsing(place):
    text = place.table.read_text()
    place.table.write_text(text.replace('stage = "shadow"\n', REHEARSED))
    return place


def _wrote(now, price="1.00", number=0):
    sides = (
        told(wrote(row("catalog_product", "update", {"id": 7}, {"price": each}))) for each in ("1.00", price)
    )
    made = rehearsed(*sides, request("PATCH", "/api/products/7/"), at=now - 60)
    return judge(msgspec.structs.replace(made, route=ROUTE, id=f"w-{number}"))


def _record(place, *judged):
    with closing(Writer(place.verdicts)) as writer:
        writer.record(judged)


def _asked(place, ann, **more):
    return write_gates(place, "catalog", ann.now(), **{"forced": False, "reason": "", **more})


def test_a_cutover_without_rehearsed_writes_is_inconclusive(rehearsing, ann):
    with pytest.raises(GateInconclusive, match=r"catalog\.edit: 0 answers .* 20 are wanted") as refused:
        require_passage(_asked(rehearsing, ann))
    assert refused.value.exit_code == 3


def test_reads_are_no_evidence_for_a_cutover(rehearsing, ann):
    now = ann.now().timestamp()
    reads = [msgspec.structs.replace(matching(n, route=ROUTE).pair, at=now - 60) for n in range(500)]
    _record(rehearsing, *map(judge, reads))
    with pytest.raises(GateInconclusive):
        require_passage(_asked(rehearsing, ann))


def test_a_row_that_differs_closes_the_gate_of_a_cutover(rehearsing, ann):
    now = ann.now().timestamp()
    _record(rehearsing, *(_wrote(now, number=n) for n in range(20)), _wrote(now, "2.00"))
    with pytest.raises(GateRefused, match="1 of 21 answers differ"):
        require_passage(_asked(rehearsing, ann))


def test_enough_rehearsed_writes_open_it_and_stand_in_the_audit(rehearsing, ann):
    now = ann.now().timestamp()
    _record(rehearsing, *(_wrote(now, number=n) for n in range(400)))
    asked = _asked(rehearsing, ann)
    require_passage(asked)
    name_owner(rehearsing, "catalog", Owner.SERVICE, "", ann, audited(asked))
    record = next(Audit(rehearsing.audit).read().changes).record
    assert (record.gate["answer"], record.gate["forced"]) == ("pass", False)
    assert record.gate["routes"][ROUTE]["seen"] == {"PATCH 2xx anonymous": 400}


def test_a_closed_gate_is_passed_by_force_with_a_reason_alone_and_the_audit_says_so(rehearsing, ann):
    with pytest.raises(ReasonMissing):
        _asked(rehearsing, ann, forced=True)
    forced = _asked(rehearsing, ann, forced=True, reason="a test")
    require_passage(forced)
    record = audited(forced)
    assert (record["answer"], record["forced"]) == ("inconclusive", True)
    assert record["reasons"][0].startswith("catalog.edit: 0 answers")


def test_a_route_that_declares_no_rehearsals_has_no_gate_and_is_named(place, ann):
    asked = _asked(place, ann)
    require_passage(asked)
    assert [(each.route, each.gate) for each in asked.routes] == [(ROUTE, None)]
    assert audited(asked) is None


def test_a_group_that_its_service_owns_asks_no_gate(rehearsing, ann):
    name_owner(rehearsing, "catalog", Owner.SERVICE, "", ann)
    assert _asked(rehearsing, ann).routes == ()


def test_the_gate_of_a_rehearsed_route_is_shown_with_all_others(rehearsing, ann):
    (shown,) = gates(rehearsing, ROUTE, ann.now())
    assert shown.gate.passage is Passage.INCONCLUSIVE


def test_the_command_refuses_before_it_opens_a_database(rehearsing):
    done = CliRunner().invoke(
        main,
        ["takeover", "cutover", "catalog", "--execute", "--json"],
        env={"STRANGLER_ROOT": str(rehearsing.root), "STRANGLER_VAR": str(rehearsing.var)},
    )
    assert done.exit_code == 3
    assert json.loads(done.output)["error"]["id"] == GateInconclusive.id
    assert not list(rehearsing.root.glob("**/*.sqlite3"))
