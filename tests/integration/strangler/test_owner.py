"""Naming a group's owner: the owner and every writing route in one audited change, there and back."""

import pytest

from proxy.routes import Owner, Stage
from proxy.table import parse_table
from strangler.audit import Action, Audit, Outcome
from strangler.errors import NotAcknowledged
from strangler.owner import name_owner


def table(place):
    return parse_table(place.table.read_text(), "t")


def test_the_owner_and_what_writes_move_in_one_change_and_reads_stay(place, ann):
    version = name_owner(place, "catalog", Owner.SERVICE, "a test", ann)
    now = table(place)
    assert now.version == version
    assert now.groups["catalog"].owner is Owner.SERVICE
    assert now.routes["catalog.edit"].stage is Stage.SERVICE
    assert now.routes["catalog.products"].stage is Stage.MONOLITH
    change = next(Audit(place.audit).read().changes).record
    assert (change.action, change.group, change.reason) == (Action.CUTOVER, "catalog", "a test")


def test_it_goes_back_the_same_way_and_keeps_every_comment(place, ann):
    before = place.table.read_text()
    name_owner(place, "catalog", Owner.SERVICE, "", ann)
    name_owner(place, "catalog", Owner.MONOLITH, "", ann)
    assert place.table.read_text() == before.replace('stage = "shadow"', 'stage = "monolith"')
    actions = [line.record.action for line in Audit(place.audit).read().changes]
    assert actions == [Action.CUTOVER, Action.ROLLBACK]


def test_writers_that_were_acknowledged_stand_in_the_audit(place, ann):
    name_owner(place, "catalog", Owner.SERVICE, "a test", ann, known=("command nightly",))
    change = next(Audit(place.audit).read().changes).record
    assert change.known == ("command nightly",)


def test_naming_the_owner_that_is_named_changes_nothing(place, ann):
    before = place.table.read_text()
    name_owner(place, "catalog", Owner.MONOLITH, "", ann)
    assert place.table.read_text() == before
    assert not place.audit.exists()


def test_every_worker_must_confirm_it_and_the_change_stays_where_one_does_not(place, ann, hire):
    hire(101, lambda verb: None)
    with pytest.raises(NotAcknowledged, match="group catalog owned by the service") as refusal:
        name_owner(place, "catalog", Owner.SERVICE, "", ann)
    assert "takeover resume catalog" in refusal.value.next
    assert table(place).groups["catalog"].owner is Owner.SERVICE
    assert Audit(place.audit).read().lines[-1].record.outcome is Outcome.APPLIED
