"""Who owns an archived table on PostgreSQL: a role that nobody logs in as.

A table's owner can disable its triggers, the fence among them, and migrate it. The monolith made its tables
and owns them; once they are an archive it may only read them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from strangler.takeover.engines import Forbidden
from strangler.takeover.postgres_queries import one
from strangler.takeover.standard_sql import identifier

ARCHIVIST = "strangler_archive"
OWNERS = """
    SELECT relname, nspname, rolname
    FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_roles r ON r.oid = relowner
    WHERE pg_class.oid = ANY(%s::regclass[]) AND rolname <> %s
"""
STILL_ABLE = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND pg_has_role(oid, %s, 'MEMBER')"


@contextmanager
def needing_rights() -> Iterator[None]:
    """Say what right is lacking, as Forbidden."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as fault:
        raise Forbidden(str(fault).strip().splitlines()[0]) from None


def give_away(connection: psycopg.Connection, tables: Sequence[str]) -> tuple[str, ...]:
    """Make the archivist the owner of tables; return the former owners who can act as him, superusers too.

    The role is made where there is none. Raises psycopg.errors.InsufficientPrivilege.
    """
    archivist = sql.Identifier(ARCHIVIST)
    found = connection.execute(OWNERS, [[identifier(table) for table in tables], ARCHIVIST]).fetchall()
    if found and not one(connection.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [ARCHIVIST])):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(archivist))
    for table, schema, owner in found:
        # Foreign keys are checked as the owner of the table that they refer to.
        if not one(connection.execute("SELECT has_schema_privilege(%s, %s, 'USAGE')", [ARCHIVIST, schema])):
            connection.execute(
                sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), archivist)
            )
        named = sql.Identifier(schema, table)
        connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(named, archivist))
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(named, sql.Identifier(owner)))
    owners = sorted({owner for _, _, owner in found})
    return tuple(name for (name,) in connection.execute(STILL_ABLE, [owners, ARCHIVIST]))
