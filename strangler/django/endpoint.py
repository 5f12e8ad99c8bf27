"""Answer the proxy's one question: who sent this request? Everybody else finds nothing here."""

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import unquote

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from strangler.django.judging import judge
from strangler.django.keys import Keys
from strangler.django.tokens import claims_of, signed

ANSWER = "X-Strangler-Answer"  # without it the proxy takes no answer for this endpoint's
TOKEN = "X-Strangler-Identity"  # noqa: S105 - the name of a header, not a secret
ROLE = "X-Strangler-Role"  # what comparison tells apart; a service reads the token
USER = "X-Strangler-User"  # the same one on every device: who is in a canary's share at all, is everywhere


@dataclass(frozen=True, slots=True, repr=False)
class Authenticate:
    """The view. Without keys it does not exist."""

    keys: Keys | None
    csrf_exempt: ClassVar[bool] = True  # the question is no form; the request it asks about is judged

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the user's token, a refusal to be relayed, or neither for nobody. 404 without the key."""
        keys = self.keys
        given = request.headers.get("X-Strangler-Service-Key", "")
        if keys is None or not constant_time_compare(given, keys.service_key):
            raise Http404
        group = request.headers.get("X-Strangler-Group", "")
        tables = request.headers.get("X-Strangler-Tables", "").split(",")
        _become_the_original(request)
        user = judge(request)
        if isinstance(user, HttpResponse):
            user[ANSWER] = "refused"
            return user
        if user is None or not user.is_authenticated:
            return _answer("anonymous")
        answer = _answer("identified")
        answer[USER] = str(user.pk)
        claims = claims_of(user, group, tables)
        answer[ROLE] = "staff" if claims["staff"] else "user"
        answer[TOKEN] = signed(claims, keys.private_key)
        return answer


def _become_the_original(request: HttpRequest) -> None:
    """Give the question the method and path of the request it is about; cookies and headers it has."""
    request.method = request.headers.get("X-Strangler-Original-Method", "GET")
    request.path = request.path_info = unquote(request.headers.get("X-Strangler-Original-Path", "/"))


def _answer(kind: str) -> HttpResponse:
    return HttpResponse(status=204, headers={ANSWER: kind, "Cache-Control": "no-store"})
