"""What an archive is called, and who stands in its way."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from strangler.takeover.archive import LONGEST_NAME, archive_names, confirms, referring
from strangler.takeover.engines import Reference

TODAY = date(2026, 1, 9)
TABLES = st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=6)


def refers(table: str, to: str) -> Reference:
    return Reference(table, ("it_id",), to, "NO ACTION", "NO ACTION", deferred=True)


def test_an_archive_says_what_it_was_and_since_when():
    assert archive_names(["thing"], TODAY, lambda _: False) == {"thing": "thing_retired_20260109"}


def test_a_name_that_is_taken_gets_a_number():
    taken = {"thing_retired_20260109"}.__contains__
    assert archive_names(["thing"], TODAY, taken) == {"thing": "thing_retired_20260109_2"}


@given(TABLES)
def test_no_two_archives_have_one_name_and_none_is_longer_than_postgresql_keeps(tables):
    names = list(archive_names(tables, TODAY, lambda _: False).values())
    assert len(set(names)) == len(tables)
    assert all(len(name.encode()) <= LONGEST_NAME for name in names)


def test_those_of_the_set_may_refer_to_each_other():
    references = [refers("item", "shelf"), refers("shelf", "shelf"), refers("line", "item")]
    assert referring(references, ["item", "shelf"], ["item", "shelf"]) == {"item": ("line.it_id",)}


def test_every_name_must_be_given_and_no_other():
    assert confirms("b,a", ["a", "b"])
    assert not any(confirms(said, ["a", "b"]) for said in ("", "a", "a,b,c", "a,a", "group"))
