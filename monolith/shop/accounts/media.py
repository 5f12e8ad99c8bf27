"""Serve avatars: images only, checked when they came in, under names that the shop chose."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.views.static import serve


def avatar(request: HttpRequest, name: str) -> HttpResponseBase:
    """Answer with one avatar's file."""
    return serve(request, name, document_root=settings.MEDIA_ROOT / "avatars")
