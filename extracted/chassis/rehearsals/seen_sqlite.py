"""See what a rehearsal changes on SQLite: by triggers of its own connection alone, gone with its transaction.

What INSERT OR REPLACE evicts, SQLite tells no trigger.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Table, text

from extracted.chassis.rehearsals.effects import Op
from extracted.chassis.rehearsals.seen import Touch

LOG = "strangler_seen"
LOGGED = text(f"SELECT * FROM {LOG} ORDER BY seq")  # noqa: S608 - a name of our own
EVENTS = ((Op.INSERT, ("new",)), (Op.UPDATE, ("old", "new")), (Op.DELETE, ("old",)))


class SqliteWitness:
    """Temporary triggers on every table."""

    def __init__(self, connection: Connection, tables: Sequence[Table]) -> None:
        self._connection = connection
        self._tables = {table.name: len(table.primary_key) for table in tables}
        widest = max(self._tables.values(), default=1)
        keys = ", ".join(f"k{place}" for place in range(widest))
        self._run(f"CREATE TEMP TABLE {LOG} (seq INTEGER PRIMARY KEY, named, op, {keys})")
        for table in tables:
            for op, rows in EVENTS:
                self._run(_trigger(connection, table, op, rows))

    def touches(self) -> Sequence[Touch]:
        """Return what was done, in order."""
        logged = self._connection.execute(LOGGED)
        return [Touch(row[1], Op(row[2]), tuple(row[3 : 3 + self._tables[row[1]]])) for row in logged]

    def _run(self, statement: str) -> None:
        self._connection.exec_driver_sql(statement)


def _trigger(connection: Connection, table: Table, op: Op, rows: Sequence[str]) -> str:
    quote = connection.dialect.identifier_preparer.quote_identifier
    key = [quote(column.name) for column in table.primary_key]
    columns = ", ".join(f"k{place}" for place in range(len(key)))
    same = " AND ".join(f"old.{name} IS new.{name}" for name in key)
    # A key that changes is one row gone and another come.
    ops = {("old", Op.UPDATE): Op.DELETE, ("new", Op.UPDATE): Op.INSERT}
    logged = "".join(
        f"INSERT INTO {LOG} (named, op, {columns}) SELECT '{table.name}', "
        + (f"CASE WHEN {same} THEN 'update' ELSE '{ops[row, op]}' END" if op is Op.UPDATE else f"'{op}'")
        + f", {', '.join(f'{row}.{name}' for name in key)}"
        + (f" WHERE NOT ({same})" if (row, op) == ("old", Op.UPDATE) else "")
        + "; "
        for row in rows
    )
    name = quote(f"strangler_seen_{op}_{table.name}")
    return f"CREATE TEMP TRIGGER {name} AFTER {op.upper()} ON main.{quote(table.name)} BEGIN {logged}END"
