"""Have a service rehearse a recorded write, without a proxy. Effects: HTTP; nothing is ever performed.

Only the service is asked for it, at the path where nothing is performed; the monolith is asked who asks.
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from proxy.answer_head import AnswerHead, BadAnswer
from proxy.pairs import Failure, Headers, Request, Response
from proxy.question import NOT_ASKED, Identified, Refused, about, judgement
from proxy.question import PATH as AUTHENTICATE
from proxy.rehearsal import MARK_SECONDS, PREFIX, REHEARSE, mark, without_effects
from proxy.routes import RouteTable
from strangler.compare.asking import Asker, Side


@dataclass(frozen=True)
class RehearsalKeys:
    """What a service believes a rehearsal by, and what opens the monolith's identity endpoint."""

    rehearsal: bytes = field(repr=False)
    service: str = field(default="", repr=False)


class Rehearser:
    """Rehearses on the services of one table."""

    def __init__(self, asker: Asker, table: RouteTable, keys: RehearsalKeys) -> None:
        self._asker = asker
        self._table = table
        self._keys = keys

    def ask(self, route: str, request: Request, credentials: Mapping[str, str]) -> Response | Failure:
        """Return what the service of a route would answer to a write, sent by whom the credentials prove."""
        token = self._token(route, request, credentials) if credentials else b""
        if not isinstance(token, bytes):
            return token
        target = PREFIX.decode() + request.target
        until = int(time.time()) + MARK_SECONDS
        proof = mark(self._keys.rehearsal, REHEARSE, request.method.encode(), target.encode("latin-1"), until)
        headers: Headers = (*request.headers, (b"X-Strangler-Rehearsal", proof))
        if token:
            headers = (*headers, (b"X-Strangler-Identity", token))
        service = self._table.service_of(self._table.routes[route])
        asked = msgspec.structs.replace(request, target=target, headers=headers)
        return self._asker.ask(self._side(service.name, service.url, request), asked, credentials)

    def _token(
        self, route: str, request: Request, credentials: Mapping[str, str]
    ) -> bytes | Response | Failure:
        """Return a token, empty for nobody; or what the client would have got in the service's place."""
        group = self._table.groups[self._table.routes[route].group]
        monolith = self._table.monolith
        path = request.target.partition("?")[0].encode("latin-1")
        key, number = self._keys.service.encode(), uuid.uuid4().hex.encode()
        theirs = (each for each in request.headers if not (each[0].lower() + b":").startswith(NOT_ASKED))
        told = about(group, key, request.method.encode(), path, number)
        asked = Request("POST", AUTHENTICATE.decode(), (*theirs, *told), b"")
        answer = self._asker.ask(self._side(monolith.name, monolith.url, request), asked, credentials)
        if isinstance(answer, Failure):
            return answer
        lines = b"\r\n".join(b"%b: %b" % each for each in answer.headers if each[0].lower() not in _FRAMING)
        try:
            found = judgement(AnswerHead(answer.status, lines), answer.body)
        except BadAnswer:
            return Failure("identity_unknown", answer.seconds)
        if isinstance(found, Identified):
            return found.token
        if isinstance(found, Refused):
            refusal = without_effects(found.head)
            return Response(found.head.status, tuple(refusal.headers), found.body, False, answer.seconds)
        return Failure(found.id, answer.seconds)

    def _side(self, name: str, url: str, request: Request) -> Side:
        """Return a side that is asked under the host that the client asked, where that is known."""
        told = {field.lower(): value.decode("latin-1") for field, value in request.headers}
        host = told.get(b"host", f"{self._table.monolith.host}:{self._table.monolith.port}")
        scheme = told.get(b"x-forwarded-proto", "http")
        return Side(name, url, {"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": scheme})


_FRAMING = frozenset({b"connection", b"content-length", b"transfer-encoding"})
