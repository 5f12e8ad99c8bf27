"""The two resources of a table: its collection (list, create) and its items (retrieve, update, delete)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from extracted.chassis.answers import once
from extracted.chassis.errors import NotAuthenticated, PermissionDenied, StillReferredTo
from extracted.chassis.fence import refuse_if_fenced
from extracted.chassis.fields import Field, represent
from extracted.chassis.form import accept
from extracted.chassis.identity import Identity
from extracted.chassis.pages import page_body
from extracted.chassis.resource import Action, Answer, Call
from extracted.chassis.table import Table
from extracted.chassis.writing import Shelf, write


@dataclass(frozen=True)
class Entity:
    """A kind of thing the API offers. `may_change` is asked for one row, `permits` before any is read."""

    title: str
    description: str
    table: Table[Any]
    item: Mapping[str, Field]
    listed: Mapping[str, Field]
    permits: Callable[[Call], bool]
    may_change: Callable[[Identity, Any], bool] = lambda _identity, _row: True


class Collection:
    """All things of one kind."""

    def __init__(self, entity: Entity, shelf: Shelf) -> None:
        """Offer `entity` from `shelf`."""
        self.entity = entity
        self.shelf = shelf
        self.title = f"{entity.title} List"
        self.description = entity.description
        self.fields = entity.item
        self.actions: Mapping[str, Action] = {"GET": self._list, "POST": self._create}

    def permits(self, call: Call) -> bool:
        """Whether the caller may use the method at all."""
        return self.entity.permits(call)

    def locate(self, _call: Call) -> None:
        """Do nothing: a collection is always there."""

    def _list(self, call: Call) -> Answer:
        with self.shelf.database.reading() as session:
            page, rows = self.entity.table.page(session, call.query)
            results = [represent(self.entity.listed, row) for row in rows]
        return Answer(200, page_body(page, call.url, results))

    def _create(self, call: Call) -> Answer:
        data = call.data()
        table = self.entity.table

        def insert(session: Session) -> Answer:
            values = accept(self.fields, data, table.lookup(session, None), partial=False)
            row = table.create(session, values, call.identity, self.shelf.clock())
            return Answer(201, represent(self.fields, row))

        return write(self.shelf, table.name, insert, once(call))


class Item:
    """One thing, found by the key in the path."""

    def __init__(self, entity: Entity, shelf: Shelf) -> None:
        """Offer one `entity` from `shelf`."""
        self.entity = entity
        self.shelf = shelf
        self.title = f"{entity.title} Instance"
        self.description = entity.description
        self.fields = entity.item
        self.actions: Mapping[str, Action] = {
            "GET": self._retrieve,
            "PUT": self._update,
            "PATCH": self._update,
            "DELETE": self._delete,
        }

    def permits(self, call: Call) -> bool:
        """Whether the caller may use the method at all."""
        return self.entity.permits(call)

    def locate(self, call: Call) -> None:
        """Raise NotFound or PermissionDenied where the caller cannot get at the row."""
        with self.shelf.database.reading() as session:
            self._get(session, call)

    def _retrieve(self, call: Call) -> Answer:
        with self.shelf.database.reading() as session:
            return Answer(200, represent(self.fields, self._get(session, call)))

    def _update(self, call: Call) -> Answer:
        call.receive()
        table = self.entity.table

        def change(session: Session) -> Answer:
            row = self._get(session, call)
            lookup = table.lookup(session, row.id)
            values = accept(self.fields, call.data(), lookup, partial=call.method == "PATCH")
            table.update(session, row, values, self.shelf.clock())
            return Answer(200, represent(self.fields, row))

        return write(self.shelf, table.name, change)

    def _delete(self, call: Call) -> Answer:
        table = self.entity.table
        self._refuse_while_needed_elsewhere(call)

        def remove(session: Session) -> Answer:
            table.delete(session, self._get(session, call), self.shelf.clock())
            return Answer(204, None)

        return write(self.shelf, table.name, remove)

    def _refuse_while_needed_elsewhere(self, call: Call) -> None:
        """Ask before the transaction, which would keep others waiting for a peer's answer."""
        table = self.entity.table
        with self.shelf.database.reading() as session:
            refuse_if_fenced(session, table.name)
            row = self._get(session, call)
        if self.shelf.elsewhere.protectors(table.name, row.id, tuple(table.model.metadata.tables)):
            raise StillReferredTo

    def _get(self, session: Session, call: Call) -> Any:
        row = self.entity.table.get(session, call.key, safe=call.safe)
        if not call.safe and not self.entity.may_change(call.identity, row):
            raise PermissionDenied if call.identity.authenticated else NotAuthenticated
        return row
