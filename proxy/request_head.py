"""Judge a request's head and write the one its upstream gets. Pure: header pairs in, bytes out.

What reaches an upstream: the canonical path, the query byte for byte, end-to-end headers in their order, the
proxy's own X-Forwarded-* and X-Request-ID, the trace. What never does: hop-by-hop headers (`TE: trailers`
apart), names with an underscore (gunicorn honours `SCRIPT_NAME:` from loopback, and the path matched would
not be the path served), anything that claims to come from the proxy, and the proxy's own cookie.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from proxy.cohort import COOKIE, without_cohort
from proxy.errors import ForwardError, RequestRefused
from proxy.match import BadPath, canonical_path
from proxy.trace import accepted_state, continued

# reg-name or IPv4 with an optional port, or an IPv6 literal; RFC 3986 3.2.2 without userinfo
_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?").fullmatch
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,128}").fullmatch
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL).fullmatch
_RESERVED = b"/__strangler__"  # where the proxy alone talks with the monolith
_PROXY_ONLY = (b"x-forwarded-", b"x-strangler-")
_MAX_LENGTH_DIGITS = 18  # an exabyte
_NEVER_NOMINATED = frozenset({b"host", b"cookie", b"authorization", b"content-length", b"transfer-encoding"})


@dataclass(slots=True)
class RequestHead:
    """A request's head, judged. `length` is the body's in bytes, None when it is chunked."""

    method: bytes
    path: bytes
    query: bytes  # with its "?", empty where there is none
    host: bytes = b""
    lines: list[bytes] = field(default_factory=list)  # end-to-end headers as they will be sent
    cookies: bytes = b""
    request_id: bytes = b""  # the client's, where it is well-formed
    traceparent: bytes = b""  # the client's, where it is well-formed
    tracestate: bytes = b""
    debug: bytes = b""  # what the client claims, not yet believed
    takes_trailers: bool = False
    length: int | None = 0
    expects_continue: bool = False
    hosts: int = 0
    lengths: int = 0
    nominated: frozenset[bytes] = frozenset()

    @property
    def has_body(self) -> bool:
        return self.length != 0


def read_head(
    method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]], *, http10: bool
) -> RequestHead:
    """Return the judged head of a request. Raises RequestRefused for what must not be forwarded."""
    if method in (b"CONNECT", b"TRACE"):
        raise RequestRefused(ForwardError.METHOD_REFUSED)
    authority = None
    if not target.startswith(b"/") and (absolute := _ABSOLUTE(target)):
        authority, target = absolute[1], absolute[2]
        if not target.startswith(b"/"):
            # RFC 9112 3.2.4: to OPTIONS, no path at all means `*`
            target = b"*" if method == b"OPTIONS" and not target else b"/" + target
    if b"#" in target:  # RFC 9112 3.2: no fragment; an origin would cut it off
        raise RequestRefused(ForwardError.BAD_PATH)
    path, mark, query = target.partition(b"?")
    try:
        head = RequestHead(method, canonical_path(path), mark + query)
    except BadPath:
        raise RequestRefused(ForwardError.BAD_PATH) from None
    if head.path.startswith(_RESERVED):
        raise RequestRefused(ForwardError.RESERVED_PATH)
    _read_headers(head, headers)
    _check(head, authority, http10=http10)
    return head


def _read_headers(head: RequestHead, headers: Iterable[tuple[bytes, bytes]]) -> None:
    keep = head.lines.append
    for name, value in headers:
        rule = _rule(name)
        if rule is None:
            keep(name + b": " + value)
        else:
            rule(head, value)


def _check(head: RequestHead, authority: bytes | None, *, http10: bool) -> None:
    if authority is not None:
        head.host = authority  # RFC 9112 3.2.2: the absolute form wins over Host
    if head.hosts != 1 or not _is_host(head.host):
        raise RequestRefused(ForwardError.BAD_HOST)
    if head.lengths > 1 or (head.length is None and (head.lengths or http10)):
        raise RequestRefused(ForwardError.BAD_FRAMING)
    if http10:
        head.expects_continue = False  # RFC 9110 10.1.1: it cannot read an interim answer
    if head.traceparent or head.tracestate:
        head.traceparent = continued(head.traceparent)
        head.tracestate = accepted_state(head.tracestate) if head.traceparent else b""
    if head.nominated:
        head.lines = [line for line in head.lines if line.partition(b":")[0].lower() not in head.nominated]


@lru_cache(maxsize=1024)
def _is_host(host: bytes) -> bool:
    return _HOST(host) is not None


def _host(head: RequestHead, value: bytes) -> None:
    head.hosts += 1
    head.host = value


def _cookie(head: RequestHead, value: bytes) -> None:
    # gunicorn joins several Cookie lines by "," and the session is lost
    head.cookies = head.cookies + b"; " + value if head.cookies else value


def _content_length(head: RequestHead, value: bytes) -> None:
    if not value.isdigit() or len(value) > _MAX_LENGTH_DIGITS:
        raise RequestRefused(ForwardError.BAD_FRAMING)
    head.lengths += 1
    if head.length is not None:
        head.length = int(value)


def _transfer_encoding(head: RequestHead, value: bytes) -> None:
    if value.lower() != b"chunked" or head.length is None:
        raise RequestRefused(ForwardError.BAD_FRAMING)
    head.length = None


def _connection(head: RequestHead, value: bytes) -> None:
    # RFC 9110 7.6.1: what Connection nominates is hop-by-hop; end-to-end security headers cannot be nominated
    nominated = {token.strip().lower() for token in value.split(b",")} - {b"keep-alive", b"close", b""}
    if nominated & _NEVER_NOMINATED or any(name.startswith(_PROXY_ONLY) for name in nominated):
        raise RequestRefused(ForwardError.BAD_REQUEST)
    head.nominated |= nominated


def _request_id(head: RequestHead, value: bytes) -> None:
    if _REQUEST_ID(value):
        head.request_id = value


def _traceparent(head: RequestHead, value: bytes) -> None:
    # two of them are as good as none: joined, they are not well-formed
    head.traceparent = head.traceparent + b"," + value if head.traceparent else value


def _tracestate(head: RequestHead, value: bytes) -> None:
    head.tracestate = head.tracestate + b"," + value if head.tracestate else value


def _debug(head: RequestHead, value: bytes) -> None:
    head.debug = value


def _te(head: RequestHead, value: bytes) -> None:
    # RFC 9110 10.1.4; codings are between two neighbours, trailers are asked for end to end
    if any(token.strip().lower() == b"trailers" for token in value.split(b",")):
        head.takes_trailers = True


def _expect(head: RequestHead, value: bytes) -> None:
    head.expects_continue = value.lower() == b"100-continue"


def _drop(head: RequestHead, value: bytes) -> None:
    """Hop-by-hop (RFC 9110 7.6.1), or the proxy's own to set."""


_Rule = Callable[[RequestHead, bytes], None]
_RULES: dict[bytes, _Rule] = {
    b"host": _host,
    b"cookie": _cookie,
    b"content-length": _content_length,
    b"transfer-encoding": _transfer_encoding,
    b"connection": _connection,
    b"x-request-id": _request_id,
    b"expect": _expect,
    b"te": _te,
    b"traceparent": _traceparent,
    b"tracestate": _tracestate,
    b"x-strangler-debug": _debug,
    **dict.fromkeys(
        (
            b"keep-alive",
            b"proxy-connection",
            b"proxy-authorization",
            b"trailer",
            b"upgrade",
            b"forwarded",
            b"x-real-ip",
        ),
        _drop,
    ),
}


@lru_cache(maxsize=4096)
def _rule(name: bytes) -> _Rule | None:
    """Return what to do with a header, None to pass it on."""
    lower = name.lower()
    rule = _RULES.get(lower)
    if rule is None and (b"_" in lower or lower.startswith(_PROXY_ONLY)):
        return _drop
    return rule


def upstream_head(head: RequestHead, request_id: bytes, forwarded_for: bytes) -> bytes:
    """Return the head its upstream gets. `forwarded_for`: the X-Forwarded-For and -Proto lines."""
    parts = [
        head.method + b" " + head.path + head.query + b" HTTP/1.1\r\nHost: " + head.host,
        *head.lines,
        forwarded_for + b"\r\nX-Forwarded-Host: " + head.host + b"\r\nX-Request-ID: " + request_id,
    ]
    if head.cookies:
        cookies = without_cohort(head.cookies) if COOKIE in head.cookies else head.cookies
        if cookies:
            parts.append(b"Cookie: " + cookies)
    if head.length is None:
        parts.append(b"Transfer-Encoding: chunked")
    elif head.lengths:
        parts.append(b"Content-Length: %d" % head.length)
    if head.traceparent:
        parts.append(b"traceparent: " + head.traceparent)
        if head.tracestate:
            parts.append(b"tracestate: " + head.tracestate)
    if head.takes_trailers:
        parts.append(b"TE: trailers\r\nConnection: TE")
    parts.append(b"\r\n")
    return b"\r\n".join(parts)


def with_identity(head: bytes, token: bytes) -> bytes:
    """Return an upstream head that says who asks; unchanged for nobody."""
    return head[:-2] + b"X-Strangler-Identity: " + token + b"\r\n\r\n" if token else head


def as_shadow(head: bytes) -> bytes:
    """Return an upstream head marked as a shadow's."""
    return head[:-2] + b"X-Strangler-Shadow: 1\r\n\r\n"
