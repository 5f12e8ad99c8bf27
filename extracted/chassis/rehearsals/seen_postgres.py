"""See what a rehearsal changes on PostgreSQL: in every statement that SQLAlchemy built, keys are read before.

New rows get ids of the rehearsal's own choice, since what a sequence gives out is given out for good: far
above the highest, so that no real insert waits for a rehearsal's. The server counts what a transaction
changes, by whatever means; where it counted something else than was seen, effects are not told.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    CursorResult,
    Delete,
    Executable,
    Insert,
    Table,
    Update,
    event,
    func,
    select,
    text,
)

from extracted.chassis.rehearsals.effects import Op
from extracted.chassis.rehearsals.seen import Key, Touch, Unseen

APART = 1_000  # how far above the highest id new ones begin: as many real inserts may come meanwhile
COUNTED = text(
    "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables WHERE relid = ANY("
    "SELECT to_regclass(name) FROM unnest(CAST(:names AS text[])) AS name)"
)
OPS = (Op.INSERT, Op.UPDATE, Op.DELETE)

Counts = Counter[tuple[str, Op]]
Rows = list[dict[str, Any]]


class PostgresWitness:
    """Stands beside every statement of one connection."""

    def __init__(self, connection: Connection, tables: Sequence[Table]) -> None:
        self._connection = connection
        self._tables = {table.name: table for table in tables}
        self._before = self._counted()
        self._touches: list[Touch] = []  # those of a savepoint that was rolled back are taken out again
        self._seen: Counts = Counter()  # and are counted all the same, as the server counts them
        self._savepoints: list[int] = []  # how many there were when each was made
        self._ids: dict[str, int] = {}
        self._emptied = False
        event.listen(connection, "before_cursor_execute", self._before_cursor_execute)
        event.listen(connection, "before_execute", self._before_execute, retval=True)
        event.listen(connection, "after_execute", self._after_execute)
        event.listen(connection, "savepoint", self._savepoint)
        event.listen(connection, "rollback_savepoint", self._rollback_savepoint)

    def touches(self) -> Sequence[Touch]:
        """Return what was done, in order. Raises Unseen."""
        if self._emptied:
            raise Unseen("a table was emptied by TRUNCATE, which no row's count shows")
        counted = self._counted()
        counted.subtract(self._before)
        for what in counted | self._seen:
            if counted[what] != self._seen[what]:
                raise Unseen(f"{what[1]} of {what[0]}: {counted[what]} rows, seen {self._seen[what]}")
        return tuple(self._touches)

    def _before_cursor_execute(self, _connection: Connection, _cursor: Any, said: str, *_how: Any) -> None:
        if said.lstrip()[:8].upper() == "TRUNCATE":
            self._emptied = True

    def _before_execute(
        self, _connection: Connection, statement: Executable, many: Rows, one: dict[str, Any], _options: Any
    ) -> tuple[Executable, Rows, dict[str, Any]]:
        match statement:
            case Insert() if isinstance(statement.table, Table):
                return self._with_ids(statement, many, one)
            case Update() | Delete() if _target(statement) in self._tables:
                self._look(statement, many or [one])
        return statement, many, one

    def _after_execute(
        self,
        _connection: Connection,
        statement: Executable,
        _many: Rows,
        _one: dict[str, Any],
        _options: Any,
        result: CursorResult[Any],
    ) -> None:
        if isinstance(statement, Insert) and _target(statement) in self._tables:
            table = self._tables[_target(statement)]
            for given in result.context.compiled_parameters or ():
                key = tuple(given.get(column.key) for column in table.primary_key)
                self._touch(table.name, Op.INSERT, key)

    def _look(self, statement: Update | Delete, rows: Rows) -> None:
        """Read which rows a statement is about to change."""
        table = self._tables[_target(statement)]
        op = Op.UPDATE if isinstance(statement, Update) else Op.DELETE
        asked = select(*table.primary_key)
        if statement.whereclause is not None:
            asked = asked.where(statement.whereclause)
        for row in rows:
            for key in self._connection.execute(asked, row).all():
                self._touch(table.name, op, tuple(key))

    def _touch(self, table: str, op: Op, key: Key) -> None:
        self._touches.append(Touch(table, op, key))
        self._seen[table, op] += 1

    def _savepoint(self, _connection: Connection, _name: str | None) -> None:
        self._savepoints.append(len(self._touches))

    def _rollback_savepoint(self, _connection: Connection, name: str, _context: None) -> None:
        # SQLAlchemy numbers a connection's savepoints from 1, and tells the number only here.
        number = int(name.rpartition("_")[2])
        del self._touches[self._savepoints[number - 1] :]

    def _with_ids(
        self, statement: Insert, many: Rows, one: dict[str, Any]
    ) -> tuple[Executable, Rows, dict[str, Any]]:
        """Give new rows their ids, where a sequence would."""
        table: Table = statement.table  # type: ignore[assignment]
        column = table.autoincrement_column
        rows = many or [one]
        if column is None or column.key in self._names(statement, rows[0]):
            return statement, many, one
        if many:
            return statement, [{**row, column.key: self._next(table, column)} for row in many], one
        if one:
            return statement, many, {**one, column.key: self._next(table, column)}
        return statement.values({column.key: self._next(table, column)}), many, one

    def _names(self, statement: Insert, row: Mapping[str, Any]) -> set[str]:
        """Return the names of the columns that an insert gives values to."""
        return set(statement.compile(dialect=self._connection.dialect, column_keys=list(row) or None).params)

    def _next(self, table: Table, column: Column[Any]) -> int:
        if table.name not in self._ids:
            apart = APART + func.mod(func.pg_backend_pid(), APART)
            highest = select(func.coalesce(func.max(column), 0) + apart)
            self._ids[table.name] = self._connection.scalar(highest) or 0
        self._ids[table.name] += 1
        return self._ids[table.name]

    def _counted(self) -> Counts:
        """Return what the server counted in this session and has not published yet."""
        counted: Counts = Counter()
        for name, *numbers in self._connection.execute(COUNTED, {"names": list(self._tables)}):
            counted.update({(name, op): number for op, number in zip(OPS, numbers, strict=True)})
        return counted


def _target(statement: Insert | Update | Delete) -> str:
    """Return the name of the table that a statement changes; an alias's is no table's."""
    return str(getattr(statement.table, "name", ""))
