"""Tell a service what in the monolith still refers to a row that the service wants to delete.

What Django's PROTECT and RESTRICT say, no foreign key between two databases can. Read-only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db.models import PROTECT, RESTRICT, Model
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from strangler.django.peers import require_peer
from strangler.django.recording.rows import NoModel, model_of


@dataclass(frozen=True, slots=True, repr=False)
class References:
    """The view. Without a key it does not exist."""

    key: str
    csrf_exempt: ClassVar[bool] = True  # it changes nothing, and a service sends it

    def __call__(self, request: HttpRequest, table: str, key: str) -> HttpResponse:
        """Name the models whose rows protect the row of `table`. 404 without the peer's key."""
        require_peer(request, self.key, "GET")
        own = frozenset(request.GET.get("own", "").split(","))
        try:
            model = model_of(table)
        except NoModel:
            raise Http404 from None
        return JsonResponse({"protectors": sorted(protectors(model, key, own))})


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
