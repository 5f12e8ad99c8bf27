"""The question who sent a request: when it is asked, in which words, and what an answer means. Pure.

Only a session cookie or an Authorization header makes a request somebody's; without either nobody is asked.
"""

import hashlib
from dataclasses import dataclass

from proxy.answer_head import AnswerHead
from proxy.errors import ForwardError
from proxy.fields import Field
from proxy.own_cookies import without_own
from proxy.request_head import RequestHead
from proxy.routes import Group, Route, Upstream

_OWN_PREFIX = b"x-strangler-"
_TOKEN = b"x-strangler-identity"
_ANSWER = b"x-strangler-answer"
_USER = b"x-strangler-user"
_ROLE = b"x-strangler-role"
_ROLES = (b"user", b"staff")
ANONYMOUS = "anonymous"
PATH = b"/__strangler__/authenticate"
# What belongs to the request's body or to a copy the client has: the question has neither.
NOT_ASKED = (b"content-", b"if-", b"range:")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request says about who sent it. `session` is read as Django reads it, the last of several."""

    session: str
    authorization: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `key` stands for all that may be answered alike, None where each is asked anew."""

    session: str
    key: bytes | None
    monolith: Upstream
    head: bytes


@dataclass(frozen=True, slots=True)
class Identified:
    """The monolith's word: a token, empty for nobody; whole Set-Cookie lines for the client; who it is.

    `role` is what comparison tells apart: anonymous, user, staff; empty where the monolith does not say.
    """

    token: bytes
    cookies: bytes
    user: bytes = b""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The monolith's own refusal, to be given to the client in the service's place."""

    head: AnswerHead
    body: bytes


Judgement = Identified | Refused | ForwardError


def credentials_of(head: RequestHead, session_cookie: bytes) -> Credentials | None:
    """Return a request's credentials, None where it has none."""
    session = session_of(head.fields.cookies, session_cookie)
    authorization = head.fields.authorization
    if not session and not authorization:
        return None
    return Credentials(session, authorization)


def session_of(cookies: bytes, session_cookie: bytes) -> str:
    """Return the session that Django finds in a Cookie header, empty for none."""
    if cookies.find(session_cookie) < 0:  # `in` takes several times as long on bytes
        return ""
    wanted, found = session_cookie.decode(), ""
    # As django.http.cookie.parse_cookie does: another reading would remember one session as another's.
    for chunk in cookies.decode(errors="replace").split(";"):
        name, _, value = chunk.partition("=")
        if name.strip() == wanted:
            found = value.strip()
    return found


def question(
    head: RequestHead,
    who: Credentials,
    *,
    route: Route,
    group: Group,
    monolith: Upstream,
    service_key: bytes,
    forwarded_for: bytes,
    request_id: bytes,
    safe: bool,
) -> Question:
    """Return the question to ask of the monolith about a request."""
    # Unsafe: Django's CSRF rules look at each request. Quoted: Django unquotes, the mark would be another's.
    alike = safe and not who.session.startswith('"')
    key = _digest(route.name, head.fields.host, forwarded_for, who) if alike else None
    words = _words(head, group, service_key, forwarded_for, request_id)
    return Question(who.session, key, monolith, words)


def _digest(route: str, host: bytes, forwarded_for: bytes, who: Credentials) -> bytes:
    """Return a hash of all that the answer may hang on; the credentials themselves are not kept."""
    scheme = forwarded_for.rpartition(b" ")[2]
    return hashlib.sha256(repr((route, host, scheme, who)).encode()).digest()


def _words(
    head: RequestHead, group: Group, service_key: bytes, forwarded_for: bytes, request_id: bytes
) -> bytes:
    parts = [
        b"POST " + PATH + b" HTTP/1.1\r\nHost: " + head.fields.host,
        *(line for line in head.fields.lines if not line.lower().startswith(NOT_ASKED)),
        forwarded_for,
        b"X-Forwarded-Host: " + head.fields.host,
        *map(b": ".join, about(group, service_key, head.method, head.path, request_id)),
        b"Content-Length: 0",
    ]
    if cookies := without_own(head.fields.cookies):
        parts.append(b"Cookie: " + cookies)
    return b"\r\n".join(parts) + b"\r\n\r\n"


def about(
    group: Group, service_key: bytes, method: bytes, path: bytes, request_id: bytes
) -> tuple[Field, ...]:
    """Return the fields that say what is asked, and who asks."""
    return (
        (b"X-Request-ID", request_id),
        (b"X-Strangler-Service-Key", service_key),
        (b"X-Strangler-Group", group.name.encode()),
        (b"X-Strangler-Tables", ",".join(group.tables).encode()),
        (b"X-Strangler-Original-Method", method),
        (b"X-Strangler-Original-Path", path),
    )


def judgement(head: AnswerHead, body: bytes) -> Judgement:
    """Return what an answer means. One that the endpoint did not mark says nothing about who asks."""
    found = {name.lower(): value for name, value in head.headers}
    match found.get(_ANSWER):
        case b"identified" if found.get(_TOKEN):
            return Identified(found[_TOKEN], _cookie_lines(head), found.get(_USER, b""), _role(found))
        case b"anonymous":
            return Identified(b"", _cookie_lines(head), b"", ANONYMOUS)
        case b"refused":
            return Refused(_without_own(head), body)
    return ForwardError.IDENTITY_UNKNOWN


def _role(found: dict[bytes, bytes]) -> str:
    role = found.get(_ROLE, b"")
    return role.decode() if role in _ROLES else ""


def outcome_of(found: Judgement) -> str:
    """Return the word by which an answer is counted."""
    if isinstance(found, Identified):
        return "identified" if found.token else "anonymous"
    return "refused" if isinstance(found, Refused) else "unknown"


def _without_own(head: AnswerHead) -> AnswerHead:
    theirs = (pair for pair in head.headers if not pair[0].lower().startswith(_OWN_PREFIX))
    return AnswerHead(head.status, b"\r\n".join(b"%b: %b" % pair for pair in theirs))


def _cookie_lines(head: AnswerHead) -> bytes:
    return b"".join(line + b"\r\n" for line in head.cookies)


def ends_session(head: AnswerHead, session_cookie: bytes, session: str) -> bool:
    """Return whether an answer takes a session away or puts another in its place."""
    for line in head.cookies:
        cookie, _, given = line.partition(b":")[2].partition(b";")[0].partition(b"=")
        if cookie.strip() == session_cookie and given.strip().decode(errors="replace") != session:
            return True
    return False
