"""Read rows as their models understand them, over whichever connection. Read-only."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db.models import JSONField, Model, Q
from django.db.models.query import QuerySet

from strangler.django.recording.effects import Key, Row, json_text, scalar


class NoModel(LookupError):
    """No model of the project has such a table."""


def model_of(table: str) -> type[Model]:
    """Return the model that a table belongs to. Raises NoModel."""
    models: list[type[Model]] = apps.get_models(include_auto_created=True)
    for model in models:
        if model._meta.db_table == table and not model._meta.proxy:
            return model
    raise NoModel(table)


def rows_with(
    connection: Any, model: type[Model], columns: Sequence[str], keys: Sequence[Key]
) -> Iterator[tuple[Key, Row]]:
    """Yield the rows of a model that have these keys in `columns`, each with its key as scalars."""
    fields = list(model._meta.local_concrete_fields)
    by_column = {field.column: field for field in fields}
    wanted = Q()
    for key in keys:
        named = zip(columns, key, strict=True)
        wanted |= Q(**{by_column[column].attname: value for column, value in named})
    found = QuerySet(model).filter(wanted).values_list(*(field.attname for field in fields))
    # The compiler, and not the queryset: only it takes a connection that has no name among the settings.
    for values in found.query.get_compiler(connection=connection).results_iter():
        row = {
            field.column: json_text(value) if isinstance(field, JSONField) else scalar(value)
            for field, value in zip(fields, values, strict=True)
        }
        yield tuple(row[column] for column in columns), row
