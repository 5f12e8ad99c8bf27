"""Everything that a database of the stack holds, on either engine, in words that can be compared."""

import sqlite3
from contextlib import closing

import psycopg
from psycopg import sql

from demo.place import Place

NOTES = ("strangler_lease", "strangler_note", "strangler.lease", "strangler.note")  # the follower's own


def table_rows(place: Place, side: str, table: str) -> list[str]:
    """Return a table's rows on a side, `monolith` or `catalog`."""
    url = place.environment[f"{side.upper()}_DATABASE_URL"]
    if not url.startswith("sqlite"):
        with psycopg.connect(url, options="-c TimeZone=UTC") as connection:
            query = sql.SQL("SELECT to_jsonb(t)::text FROM {} AS t").format(sql.Identifier(table))
            return sorted(row for (row,) in connection.execute(query))
    with closing(_opened(url)) as connection:
        connection.row_factory = sqlite3.Row
        return sorted(
            str(sorted((name, str(row[name])) for name in row.keys()))  # noqa: SIM118 - it has no other way
            for row in connection.execute(f"SELECT * FROM {table}")
        )


def contents(place: Place, side: str) -> list[str]:
    """Return every row of every table and sequence on a side, the follower's own notes apart."""
    url = place.environment[f"{side.upper()}_DATABASE_URL"]
    if url.startswith("sqlite"):
        with closing(_opened(url)) as connection:
            ours = tuple(f'INSERT INTO "{name}"' for name in NOTES)
            return [line for line in connection.iterdump() if not line.startswith(ours)]
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT nspname, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind IN ('r', 'S') AND nspname IN ('public', 'strangler')"
        ).fetchall()
        return sorted(
            f"{schema}.{name} {row}"
            for schema, name in names
            if f"{schema}.{name}" not in NOTES
            for row in connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, name)))
        )


def _opened(url: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True)
