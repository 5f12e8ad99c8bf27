"""Answer 409 to a request that met a fence, and tell the proxy whether it may send it to the new owner. Where
the proxy asks, tell it which rows a request changed.

First in MIDDLEWARE: then it also sees what the others write.
"""

import json
import logging
import os
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from strangler.django.ledger import Effect, Ledger, opened
from strangler.django.moved import Fence, TableMoved
from strangler.django.recording.mark import HEADER as MARK
from strangler.django.recording.mark import read_rehearsal_key
from strangler.django.recording.recorder import answer_recorded
from strangler.django.writer import answering

MOVED = "X-Strangler-Moved"  # GROUP; epoch=N; effect=none|unknown
STATUS = 409
# Until it leaves: sessions are not saved after a server error, and this request is to change nothing.
STATUS_INSIDE = 503

SAID = {
    Effect.NONE: "Nothing of this request was kept; sent to the service it can succeed.",
    Effect.UNKNOWN: "Part of this request may have been kept; look before sending it again.",
}
PAGE = """<!doctype html>
<html lang="en">
<head><title>Moved to service {group}</title></head>
<body><h1>Moved to service {group}</h1><p>The {fence}.</p><p>{said}</p></body>
</html>
"""

logger = logging.getLogger("strangler.django")


class FenceMiddleware:
    """Fails every request of which a write was refused, also where the application swallowed that."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._key = read_rehearsal_key(os.environ)

    def __call__(self, request: HttpRequest) -> Any:
        if self._key is None or MARK not in request.headers:
            return self._answer(request)
        return answer_recorded(request, self._key, connection, self._answer)

    def _answer(self, request: HttpRequest) -> Any:
        with opened() as ledger, answering(request):
            response = self.get_response(request)
        if ledger.refused is None:
            return response
        logger.warning(
            "%s %s: the %s (effect=%s, refusals=%d)",
            request.method,
            request.path,
            ledger.refused,
            ledger.effect,
            ledger.refusals,
        )
        return _answered(request, response, ledger, ledger.refused)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Take a refusal's answer through the other middleware, for the headers that they give."""
        return _Refusal(status=STATUS_INSIDE) if isinstance(exception, TableMoved) else None


class _Refusal(HttpResponse):  # type: ignore[misc]
    """The answer to a refusal that nobody swallowed. Its transaction was rolled back before it was made."""


def _answered(request: HttpRequest, response: Any, ledger: Ledger, fence: Fence) -> HttpResponse:
    if not isinstance(response, _Refusal):
        if response.streaming:
            response.close()
        response = _Refusal()
    response.status_code = STATUS
    response["Content-Type"], response.content = _told(request, fence, SAID[ledger.effect])
    response["Content-Length"] = str(len(response.content))
    response["Cache-Control"] = "no-store"
    del response["ETag"]
    response[MOVED] = f"{fence.group}; epoch={fence.epoch}; effect={ledger.effect}"
    return response


def _told(request: HttpRequest, fence: Fence, said: str) -> tuple[str, str]:
    """Return a page for browsers, which ask for one by name, and JSON for everybody else."""
    if "text/html" in request.headers.get("Accept", ""):
        return "text/html; charset=utf-8", format_html(PAGE, group=fence.group, fence=fence, said=said)
    return "application/json", json.dumps({"detail": f"The {fence}. {said}", "code": "moved"})
