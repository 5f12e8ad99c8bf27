"""Tell a service what in the monolith still refers to a row that the service wants to delete.

What Django's PROTECT and RESTRICT say, no foreign key between two databases can. Read-only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import PROTECT, RESTRICT, Model
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare


@dataclass(frozen=True, slots=True, repr=False)
class References:
    """The view. Without a key it does not exist."""

    key: str
    csrf_exempt: ClassVar[bool] = True  # it changes nothing, and a service sends it

    def __call__(self, request: HttpRequest, table: str, key: str) -> HttpResponse:
        """Name the models whose rows protect the row of `table`. 404 without the peer's key."""
        given = request.headers.get("X-Strangler-Peer-Key", "")
        if not self.key or request.method != "GET" or not constant_time_compare(given, self.key):
            raise Http404
        own = frozenset(request.GET.get("own", "").split(","))
        return JsonResponse({"protectors": sorted(protectors(_model_of(table), key, own))})


def protectors(model: type[Model], key: str, own: frozenset[str]) -> Iterator[str]:
    """Yield the labels of models, with tables not among `own`, of which a row protects this one."""
    for relation in model._meta.related_objects:
        referring = relation.related_model
        if relation.on_delete not in (PROTECT, RESTRICT) or referring._meta.db_table in own:
            continue
        try:
            protected = referring._base_manager.filter(**{f"{relation.field.name}__pk": key}).exists()
        except (ValueError, ValidationError):
            raise Http404 from None
        if protected:
            yield referring._meta.label


def _model_of(table: str) -> type[Model]:
    found: dict[str, type[Model]] = {model._meta.db_table: model for model in apps.get_models()}
    if table not in found:
        raise Http404
    return found[table]
