"""A schema that changes under a takeover is noticed at the next step, and nothing is switched till then."""

import pytest
from django.db import connections, models
from django.db.backends.sqlite3.base import DatabaseWrapper

from proxy.routes import Owner
from strangler import errors
from strangler.takeover.cutover import cutover
from strangler.takeover.sync import Follower
from tests.integration.takeover.things import Things


class Thing(models.Model):
    """The table as a monolith's model."""

    code = models.CharField(max_length=40, unique=True)
    note = models.TextField(null=True)
    parent = models.ForeignKey("self", models.DO_NOTHING, null=True)

    class Meta:
        app_label = "things"
        db_table = "thing"


def widen_codes_by_django(things: Things) -> None:
    """Make the codes longer, as a migration of the monolith does."""
    name = things.sides.source.url.removeprefix("sqlite:///")
    settings = {
        "NAME": name,
        "OPTIONS": {},
        "TIME_ZONE": None,
        "CONN_HEALTH_CHECKS": False,
        "CONN_MAX_AGE": 0,
    }
    connection = DatabaseWrapper(
        {**settings, "AUTOCOMMIT": True, "ATOMIC_REQUESTS": False, "TEST": {}}, "drift"
    )
    wider = models.CharField(max_length=80, unique=True)
    wider.set_attributes_from_name("code")
    wider.model = Thing
    connections["drift"] = connection
    try:
        with connection.schema_editor() as editor:
            editor.alter_field(Thing, Thing._meta.get_field("code"), wider)
    finally:
        connection.close()
        del connections["drift"]


def add_a_column(things: Things, *owners: Owner) -> None:
    for owner in owners:
        things.side(owner).run("ALTER TABLE thing ADD COLUMN colour varchar(9) NOT NULL DEFAULT 'grey'")


def test_a_field_that_django_alters_on_sqlite_makes_the_table_dirty_until_it_is_copied_anew(
    sqlite_things, django_db_blocker
):
    things = sqlite_things
    things.copy()
    with things.open() as following:
        following.settle()
        with django_db_blocker.unblock():  # a database that the tests made themselves
            widen_codes_by_django(things)
        things.sides.source.run("UPDATE thing SET note = 'unseen' WHERE id = 3")
        assert "strangler_capture_update_thing" in following.step().checkpoint.dirty["thing"]
    with pytest.raises(errors.TableDirty):
        cutover(things.where, execute=True)
    things.copy()
    assert things.equal()
    cutover(things.where, execute=True)


def test_a_column_that_is_added_makes_the_table_dirty_at_the_next_step(things):
    things.copy()
    with things.open() as following:
        add_a_column(things, Owner.MONOLITH)
        assert "no longer those that were copied" in following.step().checkpoint.dirty["thing"]
        assert following.step().settled
    with pytest.raises(errors.ColumnsDiffer, match="colour"):
        cutover(things.where, execute=True)


def test_a_column_that_is_added_on_both_sides_while_nobody_follows_is_copied_before_any_cutover(things):
    things.copy()
    add_a_column(things, Owner.SERVICE, Owner.MONOLITH)
    things.sides.source.run("UPDATE thing SET note = note")
    with pytest.raises(errors.TableDirty, match="no longer those that were copied"):
        cutover(things.where, execute=True)
    things.copy()
    cutover(things.where, execute=True)
    assert {colour for (colour,) in things.sides.target.ask("SELECT colour FROM thing")} == {"grey"}


def test_a_follower_that_ran_all_the_while_goes_on_with_the_columns_that_are_there_now(things):
    things.copy()
    follower = Follower(things.where)
    follower.turn()
    add_a_column(things, Owner.SERVICE, Owner.MONOLITH)
    follower.turn()
    things.copy()
    things.sides.source.run("UPDATE thing SET colour = 'red' WHERE id = 2")
    for _ in range(4):
        follower.turn()
    follower.close()
    assert things.sides.target.ask("SELECT colour FROM thing WHERE id = 2") == [("red",)]
    assert not things.verify().differing
