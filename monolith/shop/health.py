"""Whether this process answers. Asks no database and opens no session: the proxy calls it all the time."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Say that the monolith is alive."""
    return JsonResponse({"status": "ok"})
