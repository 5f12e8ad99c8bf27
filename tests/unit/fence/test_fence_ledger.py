"""What is taken for a change, and what a refusal's text says. In doubt it is a change."""

import pytest
from django.db import DatabaseError, IntegrityError

from strangler.django.ledger import changes
from strangler.django.moved import Fence, refusal_in

TEXT = "strangler: table catalog_product moved (takeover catalog, epoch 12)"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  select 1",
        "(SELECT 1) UNION (SELECT 2)",
        "/* asked by x */ SELECT 1",
        "-- why\nSELECT 1",
        "WITH t AS (SELECT 1) SELECT * FROM t",
        "SAVEPOINT s1",
        "RELEASE SAVEPOINT s1",
        "ROLLBACK TO SAVEPOINT s1",
        "BEGIN IMMEDIATE",
        "SET CONSTRAINTS ALL IMMEDIATE",
    ],
)
def test_reading_changes_nothing(sql):
    assert not changes(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1)",
        "/* SELECT */ DELETE FROM t",
        "-- SELECT\nUPDATE t SET a = 1",
        "WITH t AS (INSERT INTO u VALUES (1) RETURNING *) SELECT * FROM t",
        "EXPLAIN ANALYZE DELETE FROM t",
        "TRUNCATE t",
        "CALL work()",
        "selectively",
        "",
        b"SELECT 1",
        None,
    ],
)
def test_whatever_is_not_surely_reading_may_be_a_change(sql):
    assert changes(sql)


def refused(error: DatabaseError, **attributes: str) -> DatabaseError:
    cause = Exception()
    vars(cause).update(attributes)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        refused(DatabaseError(f"{TEXT}\nCONTEXT: PL/pgSQL function"), sqlstate="SF001"),
        refused(DatabaseError(TEXT), pgcode="SF001"),
        IntegrityError(TEXT),
    ],
    ids=["psycopg", "psycopg2", "sqlite3"],
)
def test_a_refusal_is_known_with_every_driver(error):
    assert refusal_in(error) == Fence("catalog_product", "catalog", 12)


@pytest.mark.parametrize(
    "error",
    [
        DatabaseError(TEXT),
        IntegrityError("UNIQUE constraint failed: catalog_product.sku"),
        refused(DatabaseError("another fence's text"), sqlstate="SF001"),
    ],
    ids=["without the state", "a real duplicate", "without the text"],
)
def test_no_other_error_is_taken_for_a_refusal(error):
    assert refusal_in(error) is None
