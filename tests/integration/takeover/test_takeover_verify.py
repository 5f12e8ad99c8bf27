"""Verification is exact while writes go on, names rows, and what it found stays true."""

import pytest

from proxy.routes import Owner
from strangler import errors
from strangler.takeover.comparing import Kind, Stride
from strangler.takeover.cutover import cutover
from strangler.takeover.flow import mistrust
from strangler.takeover.handover import opened
from strangler.takeover.verify import verify
from tests.integration.takeover.things import Following, Killed, Things


def spoil(things: Things, script: str) -> None:
    things.sides.target.spoil(script, "thing")


@pytest.mark.parametrize(
    ("script", "key", "kind"),
    [
        ("UPDATE thing SET note = 'other' WHERE id = 4", "id=4", Kind.DIFFERENT),
        ("UPDATE thing SET note = '' WHERE id = 4", "id=4", Kind.DIFFERENT),
        ("DELETE FROM thing WHERE id = 5", "id=5", Kind.MISSING),
        ("INSERT INTO thing (id, code) VALUES (99, 'x')", "id=99", Kind.EXTRA),
        ("INSERT INTO thing (id, code) VALUES (-99, 'x')", "id=-99", Kind.EXTRA),
    ],
)
def test_a_row_that_differs_is_named_and_nothing_is_switched(things, script, key, kind):
    things.copy()
    spoil(things, script)
    report = things.verify()
    assert [(each.key, each.kind) for table in report.tables for each in table.differences] == [(key, kind)]
    with pytest.raises(errors.NotVerified):
        cutover(things.where, execute=True)


def test_writes_that_go_on_meanwhile_are_no_differences(things):
    things.copy()
    turns = iter(range(100))

    def write(*_):
        things.sides.source.run(f"UPDATE thing SET note = 'n{next(turns)}'; DELETE FROM thing WHERE id = 3")

    report = verify(
        things.where.routes, "catalog", things.sides.environ, things.sides.var, again=True, told=write
    )
    assert next(turns) > 0
    assert report.differing == 0


def test_what_was_found_equal_is_not_read_again_unless_asked(things):
    things.copy()
    place = things.where.routes, "catalog", things.sides.environ, things.sides.var
    assert verify(*place).skipped == ("thing",)
    assert verify(*place, again=True).rows == 8


FINE = Stride(hashed=2, said=2)


def verify_finely(things: Things, told=lambda *_: None):
    at = things.where
    return verify(at.routes, "catalog", things.sides.environ, things.sides.var, stride=FINE, told=told)


def die_in_verification(things: Things, rows: int) -> None:
    """Verify what is copied, and die when so many rows were read."""

    def told(_table: str, seen: int) -> None:
        if seen >= rows:
            raise Killed

    with pytest.raises(Killed):
        verify_finely(things, told)


def copied(things: Things) -> None:
    with things.open() as following:
        following.settle()


def test_a_verification_that_was_killed_goes_on_where_it_last_said_how_far_all_was_equal(things):
    copied(things)
    die_in_verification(things, 6)
    found = verify_finely(things)
    assert (found.rows, found.differing) == (4, 0)
    with things.open() as following:
        assert following.flow().checkpoint().verified


def test_what_changes_behind_a_killed_verification_is_applied_and_so_still_equal(things):
    copied(things)
    die_in_verification(things, 6)
    things.sides.source.run(
        "UPDATE thing SET note = 'late' WHERE id = 1; UPDATE thing SET id = -7 WHERE id = 7"
    )
    assert verify_finely(things).differing == 0
    assert things.verify().differing == 0


def test_a_row_that_differs_is_found_again_after_a_killed_verification(things):
    copied(things)
    spoil(things, "UPDATE thing SET note = 'other' WHERE id = 2")
    die_in_verification(things, 8)
    assert [each.key for each in verify_finely(things).tables[0].differences] == ["id=2"]


@pytest.mark.parametrize("doubt", ["capture", "fence"])
def test_a_table_that_is_doubted_is_verified_from_its_beginning(things, doubt):
    copied(things)
    die_in_verification(things, 6)
    side = things.sides.source if doubt == "capture" else things.sides.target
    names = {"capture": "strangler_capture_update", "fence": "aaa_strangler_fence"}
    if side.is_sqlite:
        side.run(f"DROP TRIGGER strangler_{doubt}_update_thing")
    else:
        side.run(f"ALTER TABLE thing DISABLE TRIGGER {names[doubt]}")
    with things.open() as following:
        mistrust(following.flow(), following.leases.service, 1)
        following.settle()
    assert verify_finely(things).rows == 8


def test_a_table_that_was_begun_anew_meanwhile_is_not_called_equal(things):
    with things.open() as following:
        following.settle()

    def lose_the_capture(*_):
        if things.sides.source.is_sqlite:
            things.sides.source.run("DROP TRIGGER IF EXISTS strangler_capture_update_thing")
        else:
            things.sides.source.run("ALTER TABLE thing DISABLE TRIGGER strangler_capture_update")
        with opened(things.where) as takeover:
            Following(takeover, takeover.databases.take_leases()).step()

    verify(things.where.routes, "catalog", things.sides.environ, things.sides.var, told=lose_the_capture)
    with things.open() as following:
        assert not following.flow().checkpoint().verified


def test_what_sqlites_replace_evicts_unseen_is_found_at_the_latest_before_the_cutover(sqlite_things):
    things = sqlite_things
    with things.open() as following:
        following.settle()
        # Row 2 has the code: REPLACE takes it away without firing its triggers.
        things.sides.source.run("INSERT OR REPLACE INTO thing (id, code) VALUES (50, 'c2')")
        with pytest.raises(Exception, match="UNIQUE"):
            following.settle()
        things.sides.source.run("UPDATE thing SET code = 'other' WHERE id = 50")
        following.settle()
    report = things.verify()
    assert [(each.key, each.kind) for each in report.tables[0].differences] == [("id=2", Kind.EXTRA)]
    with pytest.raises(errors.NotVerified):
        cutover(things.where, execute=True)


def test_the_way_back_is_verified_too(things):
    things.copy()
    cutover(things.where, execute=True)
    things.side(Owner.SERVICE).run("UPDATE thing SET note = 'new'")
    report = things.verify()
    assert (report.owner, report.differing, report.rows) == (Owner.SERVICE, 0, 8)
