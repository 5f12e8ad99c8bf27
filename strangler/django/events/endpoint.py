"""Take events over HTTP from services that have no broker between. Everybody else finds nothing here."""

import logging
from dataclasses import dataclass
from typing import ClassVar

from django.http import HttpRequest, HttpResponse

from strangler.django.events.receiving import Later, Malformed, read_event, receive
from strangler.django.peers import require_peer

logger = logging.getLogger("strangler.django.events")


@dataclass(frozen=True, slots=True, repr=False)
class Receive:
    """The view. Without a key it does not exist."""

    key: str
    csrf_exempt: ClassVar[bool] = True  # a service sends it, by a key that no browser has

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """204: heard, now or before. 503: bring it again. 400: never can be heard. 404 without the key."""
        require_peer(request, self.key, "POST")
        try:
            event = read_event(request.body)
            receive(event)
        except Malformed as fault:
            logger.warning("an event was refused: %s", fault)
            return HttpResponse(str(fault), status=400, content_type="text/plain")
        except Later as why:
            logger.info("%s of %s is to come again: %s", event.type, event.subject, why)
            return HttpResponse(str(why), status=503, content_type="text/plain", headers={"Retry-After": "1"})
        return HttpResponse(status=204)
