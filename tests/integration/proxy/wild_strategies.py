"""How wild requests are made up: of pieces that have fooled proxies and origins, and of random ones."""

from itertools import pairwise

from hypothesis import strategies as st
from wild_request import Wild

METHODS = b"GET HEAD OPTIONS POST PUT PATCH DELETE".split()
ROUTED = b"s w m fixed deep sub 1".split()
SEGMENTS = [
    *ROUTED,
    *b"a;b=c x~y %7Ex + a@b:c $&,='()*! f%69xed %73 %6d D%65EP %C3%A9 %c3%a9 %e9".split(),
    *b'%20 %0a %0D%0A %25 %252f %3F %23 %7B%7D {id} "<>^`| . .. %2e %2E%2e .%2E ... ;'.split(),
    *(b"", b""),
]
BAD_SEGMENTS = [
    *b"%2f a%2Fb %5c \\ %00 % %4 %zz #x %u002f \x7f \xe9 ../../../../../../../..".split(),
    b"a b",
]
NAMES = (
    b"SCRIPT_NAME PATH_INFO Path_Info REMOTE_USER X_Forwarded_For Content_Length Transfer_Encoding X_Same"
    b" Script-Name Path-Info X-Original-URL X-Rewrite-URL X-HTTP-Method-Override X-Forwarded-Proto Forwarded"
    b" x-forwarded-FOR X-Forwarded-Host X-Forwarded-Prefix X-Forwarded-Ssl X-Forwarded-Protocol X-Real-IP"
    b" X-Strangler-Identity X-Strangler-Shadow Keep-Alive Proxy-Connection Proxy-Authorization Trailer TE"
    b" Content-Type Accept Referer Authorization X-Same x-same X-Other Via Cookie COOKIE"
).split()
VALUES = [
    *b"/s /m/fixed/ / 1 https chunked trailers a=1 root \xe9\xff sessionid=x a,b".split(),
    *(b"a=1; b=2", b'q="a;b"', b"tab\tinside", b"x" * 4000),
]
QUERIES = [b"", *b"? ?? ?a=1&a=2;b ?%2F%zz+%00 ?x=/../s/ ?// ?% ?=&&".split()]
BAD_LINES = [
    *(b"X-Fold: a\r\n b", b"X-Fold: a\r\n\tContent-Length: 3", b" X-Early: 1", b"X-No-Colon", b": nameless"),
    *(b"X-Cr: a\rb", b"X-Lf: a\nX-B: b", b"X-Nul: a\x00b", b"X(y): 1", b"\xe9: 1", b"X y: 1"),
    *(
        b"Host: other.example",
        b"Host:",
        b"Content-Length : 3",
        b"Content-Length: 3\r\nContent-Length: 3",
        b"Content-Length: +3",
    ),
    *(
        b"Content-Length: 0x3",
        b"Content-Length: 3, 3",
        b"Content-Length:",
        b"Content-Length: 00000000000000000003",
    ),
    *(
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding:\x0bchunked",
    ),
    *(b"Transfer-Encoding: gzip, chunked", b"Connection: cookie", b"Connection: x-forwarded-for"),
    *(b"Connection: close, host", b"Connection: Upgrade\r\nUpgrade: h2c", b"Expect: something-else"),
]
BAD_TRAILERS = [b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n", b"X-No-Colon\r\n"]
TRAILERS = [b"", b"X-Trailer: 1\r\n", b"SCRIPT_NAME: /s\r\n"]
SMUGGLED = b"GET /m/smuggled/ HTTP/1.1\r\nHost: shop.example\r\n\r\n"

_visible = st.binary(min_size=1, max_size=12).map(lambda data: bytes(33 + byte % 94 for byte in data))
_headers = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | _visible), max_size=6)
_bodies = st.one_of(
    st.just(b""),
    st.binary(max_size=300),
    st.just(SMUGGLED),
    st.integers(1, 70_000).map(lambda size: b"x" * size),
)


def _seldom(odd: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    """Return, once in eight, something odd."""
    return st.integers(0, 7).flatmap(
        lambda draw: st.just([]) if draw else st.sampled_from(odd).map(lambda one: [one])
    )


@st.composite
def _chunks(draw: st.DrawFn, body: bytes) -> list[bytes]:
    cuts = draw(st.lists(st.integers(0, len(body)), max_size=4))
    size, extension = (
        draw(st.sampled_from((b"%x", b"%X", b"%05x"))),
        draw(st.sampled_from((b"", b";x", b';a="b"'))),
    )
    parts = [body[start:end] for start, end in pairwise(sorted({0, len(body), *cuts}))]
    return [size % len(part) + extension + b"\r\n" + part + b"\r\n" for part in parts]


@st.composite
def wild_requests(draw: st.DrawFn) -> Wild:
    """Return a request; one in a few is wrong in some way."""
    body = draw(_bodies)
    return Wild(
        method=draw(st.sampled_from(METHODS)),
        segments=draw(st.lists(st.sampled_from(ROUTED) | st.sampled_from(SEGMENTS), min_size=1, max_size=6)),
        query=draw(st.sampled_from(QUERIES) | _visible.map(lambda data: b"?" + data)),
        headers=draw(_headers),
        body=body,
        chunks=draw(_chunks(body)) if draw(st.booleans()) else None,
        host=draw(st.sampled_from(b"shop.example shop.example:8000 [::1]:80 SHOP.example".split())),
        absolute=draw(st.sampled_from([b"", b"", b"", b"http://other.example", b"HTTPS://shop.example:1"])),
        bad_segments=draw(_seldom(BAD_SEGMENTS)),
        bad_lines=draw(_seldom(BAD_LINES)),
        trailer=draw(st.sampled_from(TRAILERS)),
        bad_trailer=b"".join(draw(_seldom(BAD_TRAILERS))),
    )
