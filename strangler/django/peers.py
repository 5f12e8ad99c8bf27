"""Let services alone through to what is meant for them. Everybody else finds nothing there."""

from django.http import Http404, HttpRequest
from django.utils.crypto import constant_time_compare

HEADER = "X-Strangler-Peer-Key"


def require_peer(request: HttpRequest, key: str, method: str) -> None:
    """Raise Http404 unless a service asks by `method`, and shows the key; without one nobody can."""
    given = request.headers.get(HEADER, "")
    if not key or request.method != method or not constant_time_compare(given, key):
        raise Http404
