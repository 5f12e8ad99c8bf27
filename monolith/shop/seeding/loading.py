"""Write invented rows as fast as the database takes them, and clear what was there.

Past the ORM's own inserts on purpose: those would set created_at from the clock.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from django.core.management.color import no_style
from django.db import connection
from django.db.models import Model

BATCH = 5_000


def insert(model: type[Model], rows: Iterable[Model]) -> int:
    """Insert `rows` with the ids they bring; return how many. Bounded memory."""
    iterator = iter(rows)
    count = 0
    while batch := list(islice(iterator, BATCH)):
        _write(model, [_values(model, row) for row in batch])
        count += len(batch)
    return count


def clear(models: Sequence[type[Model]]) -> None:
    """Delete every row of `models` and of whatever refers to them."""
    tables = [model._meta.db_table for model in models]
    statements = connection.ops.sql_flush(no_style(), tables, reset_sequences=True, allow_cascade=True)
    connection.ops.execute_sql_flush(statements)


def continue_numbering(models: Sequence[type[Model]]) -> None:
    """Let the next row that the shop makes get the id after the last one inserted here."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


def _values(model: type[Model], row: Model) -> list[object]:
    return [
        field.get_db_prep_save(getattr(row, field.attname), connection)
        for field in model._meta.concrete_fields
    ]


def _write(model: type[Model], rows: list[list[object]]) -> None:
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    columns = ", ".join(quote(field.column) for field in model._meta.concrete_fields)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(model._meta.concrete_fields))
            # Names come from the models, values are passed apart.
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)  # noqa: S608
