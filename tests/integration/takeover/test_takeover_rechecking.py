"""What changed since a verification is compared again: by the follower, and on both sides of the fence."""

from dataclasses import replace

import pytest

from proxy.routes import Owner
from strangler import errors
from strangler.takeover.cutover import cutover
from strangler.takeover.handover import opened
from strangler.takeover.rechecking import compare_since, recheck, require_equal
from strangler.takeover.resume import resume
from strangler.takeover.rollback import rollback
from strangler.takeover.state import TableState
from strangler.takeover.switch import Step
from strangler.takeover.sync import Follower
from strangler.takeover.verify import verify
from tests.integration.takeover.sides import Side
from tests.integration.takeover.things import Things

SQLITE_MEDDLER = """
CREATE TRIGGER meddler AFTER INSERT ON thing WHEN NEW.note = 'newer'
    BEGIN UPDATE thing SET note = 'other' WHERE id = NEW.id; END"""
POSTGRES_MEDDLER = """
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.note = 'newer' THEN NEW.note := 'other'; END IF; RETURN NEW; END $$;
CREATE TRIGGER meddler BEFORE INSERT ON thing FOR EACH ROW EXECUTE FUNCTION meddle()"""


def meddle(side: Side) -> None:
    """Make a trigger that spoils a row as it is applied, as a service's own trigger may."""
    side.run(SQLITE_MEDDLER if side.is_sqlite else POSTGRES_MEDDLER)


def write(things: Things, owner: Owner = Owner.MONOLITH) -> None:
    things.side(owner).run("UPDATE thing SET note = 'newer' WHERE id IN (4, 5)")


def state(things: Things, owner: Owner = Owner.MONOLITH) -> TableState:
    """Return what the follower's checkpoint says of the table."""
    with opened(things.where) as takeover:
        checkpoint = takeover.flow(owner).checkpoint()
        assert checkpoint is not None
        return checkpoint.tables["thing"]


def test_a_row_that_differs_since_the_verification_stops_the_cutover_before_anything_is_held(things):
    things.copy()
    meddle(things.sides.target)
    write(things)
    steps = []
    with pytest.raises(
        errors.RowsDiffer, match=r"thing: 2 of 2 changed rows differ: id=. .*; id="
    ) as refusal:
        cutover(things.reaching(steps.append).where, execute=True)
    assert steps == [Step.ARM]
    assert things.writable_sides() == [Owner.MONOLITH]
    assert refusal.value.next == "strangler takeover verify catalog"
    with pytest.raises(errors.NotVerified):
        cutover(things.where, execute=True)


@pytest.mark.parametrize("back", [False, True], ids=["cutover", "rollback"])
def test_a_row_that_differs_behind_the_fence_gives_the_ownership_to_nobody_else(things, back):
    things.copy()
    origin, verb = Owner.MONOLITH, cutover
    if back:
        cutover(things.where, execute=True)
        origin, verb = Owner.SERVICE, rollback
    follower = things.sides.source if back else things.sides.target

    def spoil(step: Step) -> None:
        if step is Step.ARMED:
            meddle(follower)
            write(things, origin)

    with pytest.raises(errors.RowsDiffer, match=r"thing: 2 of 2 changed rows differ: id=[45] different"):
        verb(things.reaching(spoil).where, execute=True)
    assert things.writable_sides() == [origin]
    assert not state(things, origin).verified
    assert resume(things.where, execute=True).owner is origin


def test_a_change_that_a_killed_coordinator_left_behind_the_fence_is_compared_by_resume(things):
    things.copy()

    def die(step: Step) -> None:
        if step is Step.ARMED:
            meddle(things.sides.target)
            write(things)
        if step is Step.FENCED:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cutover(things.reaching(die).where, execute=True)
    with pytest.raises(errors.RowsDiffer):
        resume(things.where, execute=True)
    assert things.writable_sides() == [Owner.MONOLITH]


def test_the_follower_compares_before_it_forgets_what_changed(things):
    things.copy()
    before = state(things).compared
    said: list[str] = []
    follower = Follower(things.where, lambda _group, text: said.append(text))
    write(things)
    for _ in range(6):
        follower.turn()
    assert state(things).verified
    assert state(things).compared not in ("", before)
    meddle(things.sides.target)
    things.sides.source.run("UPDATE thing SET note = 'plain' WHERE id = 4")
    write(things)
    for _ in range(6):
        follower.turn()
    follower.close()
    assert any("thing: 2 of 2 changed rows differ" in text for text in said)
    assert not state(things).verified


def test_changed_keys_deleted_rows_and_moved_values_are_equal_where_they_were_followed(things):
    things.copy()
    things.sides.source.run(
        "DELETE FROM thing WHERE id = 3; UPDATE thing SET id = 30 WHERE id = 7;"
        "UPDATE thing SET code = 'x' WHERE id = 2; UPDATE thing SET code = 'c2' WHERE id = 6;"
        "INSERT INTO thing (id, code) VALUES (40, 'c3')"
    )
    with things.open() as following:
        rechecked = recheck(following.flow(), following.leases.service)
        (found,) = rechecked.found
        assert (found.rows, found.differing) == (6, 0)
        assert recheck(following.flow(), following.leases.service).found == ()


def test_more_changed_keys_than_are_compared_end_the_verification(things):
    things.copy()
    write(things)
    with things.open() as following:
        rechecked = recheck(following.flow(), following.leases.service, most=1)
        with pytest.raises(errors.TooManyChanged, match=r"thing: [24] keys changed"):
            require_equal(following.flow(), rechecked)
    assert not state(things).verified
    with pytest.raises(errors.NotVerified):
        cutover(things.where, execute=True)
    assert not things.verify().differing
    cutover(things.where, execute=True)


def test_what_changes_while_a_verification_reads_is_compared_too(things):
    with things.open() as following:
        following.settle()

    once = iter([True])

    def spoil(*_) -> None:
        if not next(once, False):
            return
        meddle(things.sides.target)
        write(things)
        follower = Follower(things.where)
        for _ in range(4):
            follower.turn()
        follower.close()

    place = things.where.routes, "catalog", things.sides.environ, things.sides.var
    assert not verify(*place, told=spoil).differing  # as both were when it began
    assert not state(things).verified


def test_a_comparison_writes_nothing_where_nothing_changed(things):
    things.copy()
    before = state(things)
    with opened(things.where) as takeover:
        flow = takeover.flow(Owner.MONOLITH)
        with flow.source.snapshot() as moment:
            assert compare_since(flow, flow.checkpoint(), moment, 1).found == ()
        recheck(flow, replace(takeover.databases.take_leases().service, token="nobody's"))
    assert state(things) == before
