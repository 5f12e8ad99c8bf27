"""A row that the other database cannot take stops the follower loudly, and nothing of it is lost."""

import pytest

from proxy.routes import Owner
from strangler import errors
from strangler.doctor import followers
from strangler.takeover.cutover import cutover
from strangler.takeover.rollback import rollback
from strangler.takeover.status import status
from strangler.takeover.sync import Follower
from tests.integration.takeover.things import Things

LINE = """
CREATE TABLE line (id {kind} PRIMARY KEY,
    thing_id bigint REFERENCES thing (id) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO line VALUES (1, 3)
"""


def follow(things: Things) -> list[str]:
    """Let a follower take some turns; return what it said."""
    said: list[str] = []
    follower = Follower(things.where, lambda _group, text: said.append(text))
    for _ in range(4):
        follower.turn()
    follower.close()
    return said


@pytest.fixture
def referred(things) -> Things:
    """The service owns; a row that it deleted is one to which a row of the monolith refers."""
    kind = "INTEGER" if things.sides.source.is_sqlite else "bigint"
    things.sides.source.run(LINE.format(kind=kind))
    things.copy()
    cutover(things.where, execute=True)
    things.side(Owner.SERVICE).run(
        "DELETE FROM thing WHERE id = 3; UPDATE thing SET note = 'later' WHERE id = 5"
    )
    return things


def test_a_deleted_row_to_which_others_refer_is_said_by_the_follower_and_by_status(referred):
    said = follow(referred)
    assert any("the monolith's database refuses rows that the service wrote" in text for text in said)
    why = status(referred.where).refused
    assert "line" in why
    assert "thing" in why
    assert why in said


def test_the_doctor_names_the_refusal_and_the_next_command(referred):
    def found():
        (finding,) = followers(referred.where.routes, referred.sides.environ, referred.sides.var)
        return finding

    assert found().well
    follow(referred)
    assert "line" in found().found
    assert found().next == "strangler takeover status catalog"


def test_the_doctor_says_nothing_of_a_takeover_that_was_not_started(things):
    assert not list(followers(things.where.routes, things.sides.environ, things.sides.var))


def test_nothing_is_lost_and_it_follows_again_once_the_reference_is_gone(referred):
    follow(referred)
    assert 3 in referred.side(Owner.MONOLITH).ids("thing")
    referred.sides.source.run("DELETE FROM line")
    follow(referred)
    assert referred.equal()
    assert status(referred.where).refused == ""


def test_a_rollback_is_refused_while_rows_are_and_the_service_stays_the_owner(referred):
    follow(referred)
    with pytest.raises(errors.TargetRefusedRows, match="line"):
        rollback(referred.where, execute=True)
    assert referred.writable_sides() == [Owner.SERVICE]


def test_a_value_that_the_monolith_cannot_hold_is_said_at_once(postgres_things):
    things = postgres_things
    things.sides.source.run("ALTER TABLE thing ADD CONSTRAINT short CHECK (length(code) < 30)")
    things.copy()
    cutover(things.where, execute=True)
    things.side(Owner.SERVICE).run("UPDATE thing SET code = repeat('x', 40) WHERE id = 2")
    follow(things)
    assert 'relation "thing" violates check constraint "short"' in status(things.where).refused
    things.side(Owner.SERVICE).run("UPDATE thing SET code = 'short' WHERE id = 2")
    follow(things)
    assert things.equal()
    assert status(things.where).refused == ""
