"""Note who writes a table on SQLite, as SQL. Pure.

SQLite knows nothing of who is connected. Every connection has the function `sqlite_source_id()`, and one of a
Django process answers it with what the process does (`strangler.django.naming`), so that a trigger can ask
whoever sets it off and fails for nobody. Everybody else gives SQLite's own answer, and is nameless.
"""

from collections.abc import Iterator

from strangler.takeover.shape import Shape
from strangler.takeover.sqlite_schema import EVENTS, literal
from strangler.takeover.standard_sql import identifier

CONTROL = """CREATE TABLE IF NOT EXISTS strangler_writer (takeover TEXT NOT NULL, relation TEXT NOT NULL,
    said TEXT NOT NULL, times INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,
    PRIMARY KEY (takeover, relation, said)) WITHOUT ROWID"""
MOST = 1000
FORGET = "DELETE FROM strangler_writer WHERE takeover = ?"
SEEN = """
    SELECT relation, CASE WHEN said LIKE 'strangler: %' THEN substr(said, 12) ELSE '' END AS process,
           '', '', '', sum(times),
           strftime('%Y-%m-%dT%H:%M:%SZ', min(first_seen), 'unixepoch'),
           strftime('%Y-%m-%dT%H:%M:%SZ', max(last_seen), 'unixepoch')
    FROM strangler_writer WHERE takeover = ? GROUP BY relation, process
"""
NOW = "CAST(strftime('%s', 'now') AS INTEGER)"


def noting_triggers(shape: Shape, takeover: str) -> Iterator[tuple[str, str]]:
    """Yield name and text of each trigger that notes a writer, at most once in ten seconds."""
    named = f"{literal(takeover)}, {literal(shape.table)}, sqlite_source_id()"
    writer = f"(takeover, relation, said) = ({named})"
    applying = f"(SELECT applying FROM strangler_lease WHERE takeover = {literal(takeover)}) IS 1"
    noted = f"EXISTS (SELECT 1 FROM strangler_writer WHERE {writer} AND last_seen > {NOW} - 10)"
    # No conflict clause: a trigger's statements take over the one of the statement that set it off.
    body = (
        f"UPDATE strangler_writer SET times = times + 1, last_seen = {NOW} WHERE {writer};"
        f" INSERT INTO strangler_writer SELECT {named}, 1, {NOW}, {NOW}"
        f" WHERE NOT EXISTS (SELECT 1 FROM strangler_writer WHERE {writer})"
        f" AND (SELECT count(*) FROM strangler_writer) < {MOST};"
    )
    for event in EVENTS:
        name = f"strangler_writers_{event}_{shape.table}"
        on = f"AFTER {event.upper()} ON {identifier(shape.table)} WHEN NOT ({noted} OR {applying})"
        yield name, f"CREATE TRIGGER {identifier(name)} {on} BEGIN {body} END"
