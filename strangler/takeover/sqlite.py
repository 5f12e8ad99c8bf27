"""SQLite as source or target of a takeover. Text must be UTF-8; everything else is carried as stored."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from strangler.takeover.engines import Engine
from strangler.takeover.shape import Shape

BUSY_SECONDS = 20
GENERATED = {2, 3}  # PRAGMA table_xinfo: virtual and stored generated columns, computed and never copied


class _Sqlite:
    """One SQLite file in one transaction."""

    engine = Engine.SQLITE

    def __init__(self, file: str, begin: str) -> None:
        """Open a file that exists and begin. Raises sqlite3.Error."""
        uri = f"file:{quote(str(Path(file).absolute()))}?mode=rw"  # never make a new, empty one
        self.connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            self.connection.execute("PRAGMA foreign_keys=ON")
            self.connection.execute(begin)
            self.connection.execute("SELECT count(*) FROM sqlite_master")  # from here on one snapshot
        except sqlite3.Error:
            self.connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(sqlite3.Error):
            self.connection.rollback()
        self.connection.close()

    def shape(self, table: str) -> Shape | None:
        """Return the shape of a table, None where there is none."""
        columns = self.connection.execute("SELECT * FROM pragma_table_xinfo(?)", [table]).fetchall()
        if not columns:
            return None
        keyed = sorted((place, name) for _, name, _, _, _, place, _ in columns if place)
        refers = self.connection.execute('SELECT "table" FROM pragma_foreign_key_list(?)', [table])
        return Shape(
            table=table,
            columns={column[1]: column[2] for column in columns if column[6] not in GENERATED},
            key=tuple(name for _, name in keyed),
            refers_to=frozenset(name for (name,) in refers),
        )

    def count(self, shape: Shape) -> int:
        """Count the rows of a table."""
        return self._number(f"SELECT count(*) FROM {identifier(shape.table)}")  # noqa: S608 - quoted

    def rows(self, shape: Shape) -> Iterator[tuple[Any, ...]]:
        """Yield every row by primary key, one at a time."""
        columns, key = _list(shape.names), _list(shape.key)
        yield from self.connection.execute(
            f"SELECT {columns} FROM {identifier(shape.table)} ORDER BY {key}"  # noqa: S608 - quoted
        )

    def highest_id(self, shape: Shape) -> int:
        """Return the highest id ever given out for a table: by AUTOINCREMENT's count, or by the rows."""
        if len(shape.key) != 1 or "INT" not in shape.columns[shape.key[0]].upper():
            return 0
        key, table = identifier(shape.key[0]), identifier(shape.table)
        highest = self._number(f"SELECT max({key}) FROM {table}")  # noqa: S608 - quoted
        return max(highest, self._counted(shape) or 0)

    def _counted(self, shape: Shape) -> int | None:
        """Return AUTOINCREMENT's count, None for a table without one."""
        if not self._number("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_sequence'"):
            return None
        autoincrement = (
            "SELECT count(*) FROM sqlite_master WHERE name = ? AND upper(sql) LIKE '%AUTOINCREMENT%'"
        )
        if not self._number(autoincrement, [shape.table]):
            return None
        return self._number("SELECT max(seq) FROM sqlite_sequence WHERE name = ?", [shape.table])

    def _number(self, query: str, parameters: Iterable[Any] = ()) -> int:
        (number,) = self.connection.execute(query, tuple(parameters)).fetchone()
        return number or 0


class SqliteSource(_Sqlite):
    """A SQLite file that is read in one snapshot."""

    def __init__(self, file: str) -> None:
        """Open the file and take the snapshot. Raises sqlite3.Error."""
        super().__init__(file, "BEGIN")


class SqliteTarget(_Sqlite):
    """A SQLite file that is filled in one transaction."""

    def __init__(self, file: str) -> None:
        """Open the file and take its write lock. Raises sqlite3.Error."""
        super().__init__(file, "BEGIN IMMEDIATE")
        self.connection.execute("PRAGMA defer_foreign_keys=ON")

    def lock(self, shapes: list[Shape]) -> None:
        """Do nothing: the write lock of the file is held since the beginning."""

    def clear(self, shape: Shape) -> int:
        """Delete every row of a table; return how many there were."""
        return self.connection.execute(f"DELETE FROM {identifier(shape.table)}").rowcount  # noqa: S608 - quoted

    def insert(self, shape: Shape, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert rows as they come, one in memory at a time."""
        places = ", ".join("?" * len(shape.names))
        into = f"INSERT INTO {identifier(shape.table)} ({_list(shape.names)})"
        self.connection.executemany(f"{into} VALUES ({places})", rows)

    def start_ids_after(self, shape: Shape, number: int) -> None:
        """Let AUTOINCREMENT start above `number`; a table without it takes the highest key plus one."""
        if self._counted(shape) is None:
            return
        self.connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", [shape.table])
        self.connection.execute(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [shape.table, number]
        )

    def commit(self) -> None:
        """Make it all so, at once. Foreign keys are checked here."""
        self.connection.execute("COMMIT")


def identifier(name: str) -> str:
    """Quote a name of the schema."""
    return '"' + name.replace('"', '""') + '"'


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(identifier, names))
