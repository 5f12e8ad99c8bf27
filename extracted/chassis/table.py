"""What the API does with the rows of one table: page, find, check, write. A service says what differs.

Every method runs in the session it is given and commits nothing. A list costs a fixed number of queries
whatever its length.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from extracted.chassis.errors import NotFound
from extracted.chassis.filters import Filter, clean_filters, ordering, search_terms
from extracted.chassis.identity import Identity
from extracted.chassis.pages import Page, page_of
from extracted.chassis.query import QueryParams

Row = TypeVar("Row")
Condition = ColumnElement[bool]
Column = InstrumentedAttribute[Any]

LARGEST_KEY = 2**63 - 1


class Table(Generic[Row]):
    """The rows of one model as the API sees them."""

    model: ClassVar[type[Any]]
    searched: ClassVar[Sequence[Column]] = ()
    orderable: ClassVar[Sequence[str]] = ()
    default_order: ClassVar[Sequence[str]]
    references: ClassVar[Mapping[str, Column]] = {}  # the key each reference field points at

    @property
    def name(self) -> str:
        """The name of the database's table."""
        return str(self.model.__tablename__)

    def listed(self) -> Select[Row]:
        """Select rows with all that a list shows."""
        return select(self.model)

    def detailed(self) -> Select[Row]:
        """Select rows with all that an item shows."""
        return self.listed()

    def readable(self) -> Condition:
        """Say which rows safe methods see."""
        return true()

    def filters(self, session: Session) -> Mapping[str, Filter]:
        """Name the parameters that narrow a list, in the order in which their faults are told."""
        return {}

    def narrowed(self, cleaned: Mapping[str, Any]) -> Iterator[Condition]:
        """Say what the cleaned parameters ask of a row."""
        yield from ()

    def create(self, session: Session, values: Mapping[str, Any], author: Identity, now: datetime) -> Row:
        """Insert a row of accepted values; raise ApiError where the other rows do not allow it."""
        raise NotImplementedError

    def update(self, session: Session, row: Row, values: Mapping[str, Any], now: datetime) -> None:
        """Change a row to accepted values; raise ApiError where the other rows do not allow it."""
        raise NotImplementedError

    def delete(self, session: Session, row: Row, now: datetime) -> None:
        """Delete a row and what belongs to it; raise ApiError where other rows still need it."""
        raise NotImplementedError

    def page(self, session: Session, query: QueryParams) -> tuple[Page, Sequence[Row]]:
        """Return the page that a query asks for; raise ApiError for parameters that mean nothing."""
        cleaned = clean_filters(self.filters(session), query)
        wanted = [self.readable(), *self.narrowed(cleaned), *self._found(session, query)]
        order = ordering(query, self.orderable, self.default_order)
        count = session.scalar(select(func.count()).select_from(self.model).where(*wanted)) or 0
        page = page_of(query, count)
        rows = self.listed().where(*wanted).order_by(*self._by(order))
        return page, session.scalars(rows.limit(page.size).offset(page.offset)).all()

    def get(self, session: Session, key: str, *, safe: bool) -> Row:
        """Return the row of a path's key with all that an item shows; raise NotFound."""
        try:
            number = int(key)
        except ValueError:
            raise NotFound from None
        visible = self.readable() if safe else true()
        row = None
        if abs(number) <= LARGEST_KEY:
            row = session.scalar(self.detailed().where(self.model.id == number, visible))
        if row is None:
            raise NotFound(f"No {self.model.__name__} matches the given query.")
        return row

    def lookup(self, session: Session, row_id: int | None) -> "RowLookup":
        """Return the answers to a form's questions while row `row_id` is changed, or a new one made."""
        return RowLookup(session, self.model, self.references, row_id)

    def _found(self, session: Session, query: QueryParams) -> Iterator[Condition]:
        if not self.searched:
            return
        dialect = session.get_bind().dialect.name
        for term in search_terms(query):
            yield or_(*(contains(column, term, dialect) for column in self.searched))

    def _by(self, order: Sequence[str]) -> Iterator[ColumnElement[Any]]:
        for term in order:
            column = getattr(self.model, term.removeprefix("-"))
            yield column.desc() if term.startswith("-") else column.asc()


@dataclass(frozen=True, slots=True)
class RowLookup:
    """Answers a form's questions about one table; `row_id` is the row being changed, None for a new one."""

    session: Session
    model: Any
    references: Mapping[str, Column]
    row_id: int | None

    def taken(self, name: str, value: str) -> bool:
        """Whether a row other than the one being changed has `value` in field `name`."""
        others = true() if self.row_id is None else self.model.id != self.row_id
        found = select(self.model.id).where(getattr(self.model, name) == value, others).limit(1)
        return self.session.scalar(found) is not None

    def exists(self, name: str, key: int) -> bool:
        """Whether there is a row that field `name` may refer to by `key`."""
        return key_exists(self.session, self.references[name], key)


def key_exists(session: Session, column: Column, key: int) -> bool:
    """Whether a row has `key` in `column`; a key no column holds is nobody's."""
    if abs(key) > LARGEST_KEY:
        return False
    return session.scalar(select(column).where(column == key).limit(1)) is not None


def contains(column: Column, term: str, dialect: str) -> Condition:
    """Ask for `term` anywhere in a text, in any case, as Django's `icontains` does on each engine.

    SQLite's LIKE folds the case of ASCII letters alone; PostgreSQL's UPPER that of every letter.
    """
    escaped = term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if dialect == "sqlite":
        return column.like(f"%{escaped}%", escape="\\")
    return func.upper(column).like(func.upper(f"%{escaped}%"))
