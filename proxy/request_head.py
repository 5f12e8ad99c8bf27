"""Judge a request's head and write the one its upstream gets. Pure: bytes in, bytes out.

What reaches an upstream: the canonical path, the query byte for byte, end-to-end headers in their order, the
proxy's own X-Forwarded-* and X-Request-ID, the trace. What never does: hop-by-hop headers (`TE: trailers`
apart), names with an underscore (gunicorn honours `SCRIPT_NAME:` from loopback, and the path matched would
not be the path served), anything that claims to come from the proxy, and the proxy's own cookie.

A client says the same about itself with every request on its connection: a block of field lines that was
judged before is looked up.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from proxy.errors import ForwardError, RequestRefused
from proxy.fields import BadField, lines_of, read_field
from proxy.match import BadPath, canonical_path
from proxy.own_cookies import PIN, without_own
from proxy.trace import accepted_state, continued

# upper case alone: Django serves `get` as GET, and the table's routes say GET
_METHOD = re.compile(rb"[A-Z][A-Z0-9-]{0,31}").fullmatch
_USUAL_METHODS = frozenset({b"GET", b"HEAD", b"OPTIONS", b"POST", b"PUT", b"PATCH", b"DELETE"})
_QUERY = re.compile(rb"[!\"$-~]*").fullmatch  # RFC 9112 3.2: no fragment; an origin would cut it off
# reg-name or IPv4 with an optional port, or an IPv6 literal; RFC 3986 3.2.2 without userinfo
_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?").fullmatch
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,128}").fullmatch
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL).fullmatch
_RESERVED = b"/__strangler__"  # where the proxy alone talks with the monolith
_OWN = b"x-strangler-"
_PROXY_ONLY = (b"x-forwarded-", _OWN)
_MAX_LENGTH_DIGITS = 18  # an exabyte
_NEVER_NOMINATED = frozenset({b"host", b"cookie", b"authorization", b"content-length", b"transfer-encoding"})
_NEVER_FORWARDED = frozenset({b"CONNECT", b"TRACE"})
_REMEMBERED_BYTES = 4096  # a larger block is judged anew each time
_REMEMBERED_BLOCKS = 1024


class RequestFields:
    """What a request's field lines say, judged. Shared by all requests that say the same; never changed.

    `length` is the body's in bytes, None when it is chunked. `lines` are the end-to-end headers as they
    will be sent.
    """

    __slots__ = (
        "after",
        "authorization",
        "before",
        "closes",
        "cookies",
        "debug",
        "expects_continue",
        "forged",
        "has_body",
        "host",
        "hosts",
        "keeps",
        "length",
        "lengths",
        "lines",
        "nominated",
        "own",
        "pinned",
        "request_id",
        "takes_trailers",
        "target",
        "traceparent",
        "tracestate",
        "upgrades",
        "websocket",
    )

    def __init__(self) -> None:
        self.host = b""
        self.lines: list[bytes] = []
        self.cookies = b""
        self.authorization: tuple[bytes, ...] = ()
        self.request_id = b""  # the client's, where it is well-formed
        self.traceparent = b""  # the client's, where it is well-formed
        self.tracestate = b""
        self.pinned = False  # it may bear a pin's cookie
        self.debug = b""  # what the client claims, not yet believed
        self.target = b""  # likewise
        self.forged = ""  # what it said that only the proxy may say
        self.takes_trailers = False
        self.length: int | None = 0
        self.has_body = False
        self.expects_continue = False
        self.closes = False  # `Connection: close`
        self.keeps = False  # `Connection: keep-alive`
        self.upgrades = False
        self.websocket = False  # and to a websocket alone
        self.hosts = 0
        self.lengths = 0
        self.nominated: frozenset[bytes] = frozenset()
        # the head for an upstream, but for what each request says anew
        self.before = self.own = self.after = b""


class RequestHead:
    """A request's head, judged."""

    __slots__ = ("fields", "http10", "method", "path", "query", "traceparent")

    def __init__(
        self, method: bytes, path: bytes, query: bytes, fields: RequestFields, *, http10: bool
    ) -> None:
        self.method = method
        self.path = path  # canonical
        self.query = query  # with its "?", empty where there is none
        self.fields = fields
        self.http10 = http10
        self.traceparent = fields.traceparent

    @property
    def keeps_connection(self) -> bool:
        """Whether the client's connection may take another request (RFC 9112 9.3)."""
        fields = self.fields
        if fields.closes or fields.upgrades:
            return False
        return fields.keeps or not self.http10

    @property
    def asks_for_websocket(self) -> bool:
        """Whether the client wants to speak WebSocket from here on."""
        return self.fields.websocket and self.method == b"GET" and not self.http10

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a word before it sends the body."""
        return self.fields.expects_continue and not self.http10  # RFC 9110 10.1.1


def read_head(head: bytes) -> RequestHead:
    """Return the judged head of a request, given without its last empty line.

    Raises RequestRefused for what is no HTTP/1.0 or 1.1 and what must not be forwarded.
    """
    line, _, block = head.partition(b"\r\n")
    method, target, http10 = _request_line(line)
    authority = None
    if not target.startswith(b"/") and (absolute := _ABSOLUTE(target)):
        authority, target = absolute[1], absolute[2]
        if not target.startswith(b"/"):
            # RFC 9112 3.2.4: to OPTIONS, no path at all means `*`
            target = b"*" if method == b"OPTIONS" and not target else b"/" + target
    path, mark, query = target.partition(b"?")
    if mark:
        if _QUERY(query) is None:
            raise RequestRefused(ForwardError.BAD_PATH)
        query = mark + query
    try:
        path = canonical_path(path)
    except BadPath:
        raise RequestRefused(ForwardError.BAD_PATH) from None
    if path.startswith(_RESERVED):
        raise RequestRefused(ForwardError.RESERVED_PATH)
    fields = _known.get(block) or _learn(block) if authority is None else _judged(block, authority)
    if http10 and fields.length is None:
        raise RequestRefused(ForwardError.BAD_FRAMING)
    return RequestHead(method, path, query, fields, http10=http10)


def _request_line(line: bytes) -> tuple[bytes, bytes, bool]:
    """Return method, target and whether it is HTTP/1.0 (RFC 9112 3)."""
    parts = line.split(b" ")
    if len(parts) != 3 or not parts[1]:
        raise RequestRefused(ForwardError.BAD_REQUEST)
    method, target, version = parts
    http10 = version == b"HTTP/1.0"
    if not http10 and version != b"HTTP/1.1":
        raise RequestRefused(ForwardError.BAD_REQUEST)
    if method not in _USUAL_METHODS:
        if _METHOD(method) is None:
            raise RequestRefused(ForwardError.BAD_REQUEST)
        if method in _NEVER_FORWARDED:
            raise RequestRefused(ForwardError.METHOD_REFUSED)
    return method, target, http10


def check_beginning(head: bytes) -> None:
    """Raise RequestRefused where the beginning of a head cannot be that of a request."""
    line, end, _ = head.partition(b"\r\n")
    if _HOPELESS(head):
        raise RequestRefused(ForwardError.BAD_REQUEST)
    if end:
        _request_line(line)


# a control byte, a LF without its CR, a CR without its LF: no more of the head can make it good
_HOPELESS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r[^\n]").search


def _judged(block: bytes, authority: bytes | None) -> RequestFields:
    fields = RequestFields()
    keep = fields.lines.append
    try:
        for line in lines_of(block):
            name, value = read_field(line)
            rule = _rule(name)
            if rule is None:
                keep(name + b": " + value)
            else:
                rule(fields, value)
    except BadField:
        raise RequestRefused(ForwardError.BAD_REQUEST) from None
    _check(fields, authority)
    _prepare(fields)
    return fields


_known: dict[bytes, RequestFields] = {}


def _learn(block: bytes) -> RequestFields:
    """Judge a block, and keep what it says for the next time."""
    fields = _judged(block, None)
    if len(block) <= _REMEMBERED_BYTES:
        if len(_known) >= _REMEMBERED_BLOCKS:
            _known.clear()
        _known[block] = fields
    return fields


def _check(fields: RequestFields, authority: bytes | None) -> None:
    if authority is not None:
        fields.host = authority  # RFC 9112 3.2.2: the absolute form wins over Host
    if fields.hosts != 1 or _HOST(fields.host) is None:
        raise RequestRefused(ForwardError.BAD_HOST)
    if fields.lengths > 1 or (fields.length is None and fields.lengths):
        raise RequestRefused(ForwardError.BAD_FRAMING)
    fields.has_body = fields.length != 0
    fields.upgrades = fields.upgrades and b"upgrade" in fields.nominated
    fields.websocket = fields.websocket and fields.upgrades
    if fields.upgrades and fields.has_body:  # where would it end, and what comes behind it?
        raise RequestRefused(ForwardError.BAD_REQUEST)
    if fields.traceparent or fields.tracestate:
        fields.traceparent = continued(fields.traceparent)
        fields.tracestate = accepted_state(fields.tracestate) if fields.traceparent else b""
    if fields.nominated:
        fields.lines = [
            line for line in fields.lines if line.partition(b":")[0].lower() not in fields.nominated
        ]


def _prepare(fields: RequestFields) -> None:
    """Write down what an upstream's head says alike for all these requests."""
    fields.pinned = fields.cookies.find(PIN) >= 0
    fields.before = b"".join(
        (b" HTTP/1.1\r\nHost: ", fields.host, *(b"\r\n" + line for line in fields.lines))
    )
    fields.own = b"\r\nX-Forwarded-Host: " + fields.host + b"\r\nX-Request-ID: "
    after = []
    if fields.cookies and (cookies := without_own(fields.cookies)):
        after.append(b"Cookie: " + cookies)
    if fields.length is None:
        after.append(b"Transfer-Encoding: chunked")
    elif fields.lengths:
        after.append(b"Content-Length: %d" % fields.length)
    if fields.tracestate:
        after.append(b"tracestate: " + fields.tracestate)
    if fields.takes_trailers:
        after.append(b"TE: trailers\r\nConnection: TE")
    fields.after = b"".join(b"\r\n" + line for line in after) + b"\r\n\r\n"


def _host(fields: RequestFields, value: bytes) -> None:
    fields.hosts += 1
    fields.host = value


def _cookie(fields: RequestFields, value: bytes) -> None:
    # gunicorn joins several Cookie lines by "," and the session is lost
    fields.cookies = fields.cookies + b"; " + value if fields.cookies else value


def _authorization(fields: RequestFields, value: bytes) -> None:
    fields.authorization += (value,)
    fields.lines.append(b"Authorization: " + value)


def _content_length(fields: RequestFields, value: bytes) -> None:
    if not value.isdigit() or len(value) > _MAX_LENGTH_DIGITS:
        raise RequestRefused(ForwardError.BAD_FRAMING)
    fields.lengths += 1
    if fields.length is not None:
        fields.length = int(value)


def _transfer_encoding(fields: RequestFields, value: bytes) -> None:
    if value.lower() != b"chunked" or fields.length is None:
        raise RequestRefused(ForwardError.BAD_FRAMING)
    fields.length = None


def _connection(fields: RequestFields, value: bytes) -> None:
    # RFC 9110 7.6.1: what Connection nominates is hop-by-hop; end-to-end security headers cannot be nominated
    nominated = {token.strip(b" \t").lower() for token in value.split(b",")}
    fields.closes = fields.closes or b"close" in nominated
    fields.keeps = fields.keeps or b"keep-alive" in nominated
    nominated -= {b"keep-alive", b"close", b""}
    if nominated & _NEVER_NOMINATED or any(name.startswith(_PROXY_ONLY) for name in nominated):
        raise RequestRefused(ForwardError.BAD_REQUEST)
    fields.nominated |= nominated


def _upgrade(fields: RequestFields, value: bytes) -> None:
    # h2c and all other protocols are no websocket: nobody is ever asked for them
    fields.websocket = value.lower() == b"websocket" and not fields.upgrades
    fields.upgrades = True


def _request_id(fields: RequestFields, value: bytes) -> None:
    if _REQUEST_ID(value):
        fields.request_id = value


def _traceparent(fields: RequestFields, value: bytes) -> None:
    # two of them are as good as none: joined, they are not well-formed
    fields.traceparent = fields.traceparent + b"," + value if fields.traceparent else value


def _tracestate(fields: RequestFields, value: bytes) -> None:
    fields.tracestate = fields.tracestate + b"," + value if fields.tracestate else value


def _debug(fields: RequestFields, value: bytes) -> None:
    fields.debug = value


def _target(fields: RequestFields, value: bytes) -> None:
    fields.target = value


def _te(fields: RequestFields, value: bytes) -> None:
    # RFC 9110 10.1.4; codings are between two neighbours, trailers are asked for end to end
    if any(token.strip(b" \t").lower() == b"trailers" for token in value.split(b",")):
        fields.takes_trailers = True


def _expect(fields: RequestFields, value: bytes) -> None:
    fields.expects_continue = value.lower() == b"100-continue"


def _drop(fields: RequestFields, value: bytes) -> None:
    """Hop-by-hop (RFC 9110 7.6.1), or the proxy's own to set."""


def _forge(fields: RequestFields, value: bytes) -> None:
    """Dropped, and counted: a header only the proxy sets."""
    fields.forged = "header"


def _alias(fields: RequestFields, value: bytes) -> None:
    """Dropped, and counted: gunicorn would take `_` for `-`, and SCRIPT_NAME for its own."""
    fields.forged = fields.forged or "underscore"


_Rule = Callable[[RequestFields, bytes], None]
_RULES: dict[bytes, _Rule] = {
    b"host": _host,
    b"cookie": _cookie,
    b"authorization": _authorization,
    b"content-length": _content_length,
    b"transfer-encoding": _transfer_encoding,
    b"connection": _connection,
    b"upgrade": _upgrade,
    b"x-request-id": _request_id,
    b"expect": _expect,
    b"te": _te,
    b"traceparent": _traceparent,
    b"tracestate": _tracestate,
    b"x-strangler-debug": _debug,
    b"x-strangler-target": _target,
    **dict.fromkeys(
        (
            b"keep-alive",
            b"proxy-connection",
            b"proxy-authorization",
            b"trailer",
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
    if rule is None and lower.find(b"_") >= 0:
        return _alias
    if rule is None and lower.startswith(_PROXY_ONLY):
        return _forge if lower.startswith(_OWN) else _drop
    return rule


def upstream_head(head: RequestHead, request_id: bytes, forwarded_for: bytes) -> bytes:
    """Return the head its upstream gets. `forwarded_for`: the X-Forwarded-For and -Proto lines."""
    fields = head.fields
    trace = b"\r\ntraceparent: " + head.traceparent if head.traceparent else b""
    return b"".join(
        (
            head.method,
            b" ",
            head.path,
            head.query,
            fields.before,
            b"\r\n",
            forwarded_for,
            fields.own,
            request_id,
            trace,
            fields.after,
        )
    )


def with_identity(head: bytes, token: bytes) -> bytes:
    """Return an upstream head that says who asks; unchanged for nobody."""
    return head[:-2] + b"X-Strangler-Identity: " + token + b"\r\n\r\n" if token else head


def as_websocket(head: bytes) -> bytes:
    """Return an upstream head that asks for a websocket (RFC 6455 4.1); the rest of it is end to end."""
    return head[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def as_shadow(head: bytes) -> bytes:
    """Return an upstream head marked as a shadow's."""
    return head[:-2] + b"X-Strangler-Shadow: 1\r\n\r\n"
