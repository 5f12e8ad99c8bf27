"""What a request's head becomes on its way to an upstream, and which heads never get there."""

import pytest
from spelling import Header, spelled

from proxy.errors import ForwardError, RequestRefused
from proxy.request_head import RequestHead, as_shadow, read_head, upstream_head

HOST = (b"Host", b"shop.example")


def _read(
    *headers: Header, method: bytes = b"GET", target: bytes = b"/a", http10: bool = False
) -> RequestHead:
    return read_head(spelled(method, target, HOST, *headers, http10=http10))


def _error(
    *headers: Header, method: bytes = b"GET", target: bytes = b"/a", http10: bool = False
) -> ForwardError:
    with pytest.raises(RequestRefused) as refusal:
        read_head(spelled(method, target, *headers, http10=http10))
    return refusal.value.error


def _sent(*headers: Header, target: bytes = b"/a") -> list[bytes]:
    """Return the lines an upstream gets between Host and the proxy's own."""
    sent = upstream_head(_read(*headers, target=target), b"id", b"X-Forwarded-For: 1.2.3.4")
    lines = sent.split(b"\r\n")
    own = lines.index(b"X-Forwarded-For: 1.2.3.4")
    assert lines[1].startswith(b"Host: ")
    assert lines[own + 1].startswith(b"X-Forwarded-Host: ")
    assert lines[own + 2] == b"X-Request-ID: id"
    assert lines[-2:] == [b"", b""]
    return lines[2:own] + lines[own + 3 : -2]


@pytest.mark.parametrize("method", [b"CONNECT", b"TRACE"])
def test_methods_that_are_never_forwarded_are_refused(method: bytes) -> None:
    assert _error(HOST, method=method) is ForwardError.METHOD_REFUSED


@pytest.mark.parametrize("target", [b"*", b"a", b"//a/%2f", b"/a%00", b"ftp://shop.example/"])
def test_a_target_without_a_canonical_path_is_refused(target: bytes) -> None:
    assert _error(HOST, target=target) is ForwardError.BAD_PATH


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"a b",
        b"u@shop.example",
        b"shop.example/",
        b"shop.example:",
        b"shop.example:x",
        b"shop.example:123456",
        b"a,b",
        b"[::1",
        b"::1",
        b"shop\xe9",
        b"{shop}",
    ],
)
def test_a_host_that_is_none_is_refused(host: bytes) -> None:
    assert _error((b"Host", host)) is ForwardError.BAD_HOST


@pytest.mark.parametrize("authority", [b"", b"u@shop.example", b"u:p@shop.example", b"a|b", b"shop.example:"])
def test_an_absolute_form_with_a_bad_authority_is_refused(authority: bytes) -> None:
    assert _error(HOST, target=b"http://" + authority + b"/a") is ForwardError.BAD_HOST


@pytest.mark.parametrize("hosts", [[], [HOST, HOST], [HOST, (b"host", b"other.example")]])
def test_a_request_names_one_host(hosts: list[Header]) -> None:
    assert _error(*hosts) is ForwardError.BAD_HOST
    assert _error(*hosts, target=b"http://real.example/a") is ForwardError.BAD_HOST


@pytest.mark.parametrize(
    "host", [b"shop.example", b"shop.example:8443", b"10.0.0.1:80", b"[::1]:80", b"a-b_c~d"]
)
def test_a_host_is_kept_as_it_came(host: bytes) -> None:
    head = read_head(spelled(b"GET", b"/a", (b"hOST", host)))
    assert upstream_head(head, b"id", b"F: x").startswith(b"GET /a HTTP/1.1\r\nHost: " + host + b"\r\n")


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (b"http://real.example:81/x?y", b"GET /x?y HTTP/1.1\r\nHost: real.example:81\r\n"),
        (b"HTTPS://real.example", b"GET / HTTP/1.1\r\nHost: real.example\r\n"),
        (b"http://real.example?q", b"GET /?q HTTP/1.1\r\nHost: real.example\r\n"),
    ],
)
def test_the_absolute_form_wins_over_host(target: bytes, line: bytes) -> None:
    sent = upstream_head(_read(target=target), b"id", b"F: x")
    assert sent.startswith(line)
    assert sent.count(b"shop.example") == 0


FRAMING = [
    [(b"Content-Length", b"5"), (b"Content-Length", b"5")],
    [(b"Content-Length", b"5"), (b"Content-Length", b"6")],
    [(b"Content-Length", b"0"), (b"Content-Length", b"5")],
    [(b"Content-Length", b"5, 5")],
    [(b"Content-Length", b"+5")],
    [(b"Content-Length", b"-5")],
    [(b"Content-Length", b"0x5")],
    [(b"Content-Length", b"")],
    [(b"Content-Length", b"\xb2")],
    [(b"Content-Length", b"9" * 5000)],
    [(b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked")],
    [(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"5")],
    [(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"0")],
    [(b"Transfer-Encoding", b"chunked"), (b"Transfer-Encoding", b"chunked")],
    [(b"Transfer-Encoding", b"chunked, chunked")],
    [(b"Transfer-Encoding", b"gzip, chunked")],
    [(b"Transfer-Encoding", b"identity")],
    [(b"Transfer-Encoding", b"xchunked")],
    [(b"Transfer-Encoding", b"")],
]


@pytest.mark.parametrize("headers", FRAMING)
def test_a_body_of_ambiguous_length_is_refused(headers: list[Header]) -> None:
    assert _error(HOST, *headers, method=b"POST") is ForwardError.BAD_FRAMING


def test_chunks_in_http10_are_refused() -> None:
    chunked = (b"Transfer-Encoding", b"chunked")
    assert _error(HOST, chunked, method=b"POST", http10=True) is ForwardError.BAD_FRAMING


@pytest.mark.parametrize(
    "nominated",
    [
        b"Host",
        b"cookie",
        b"Authorization",
        b"Content-Length",
        b"Transfer-Encoding",
        b"X-Forwarded-For",
        b"x-forwarded-anything",
        b"X-Strangler-Target",
    ],
)
def test_nominating_what_must_arrive_is_refused(nominated: bytes) -> None:
    assert _error(HOST, (b"Connection", b"close, " + nominated)) is ForwardError.BAD_REQUEST


HOP_BY_HOP = [
    b"Connection",
    b"Keep-Alive",
    b"Proxy-Connection",
    b"Proxy-Authorization",
    b"TE",
    b"Trailer",
    b"Upgrade",
]
CLAIMS = [
    b"X-Forwarded-For",
    b"X-Forwarded-Proto",
    b"X-Forwarded-Host",
    b"x-forwarded-anything",
    b"Forwarded",
    b"X-Real-IP",
    b"X-Strangler-Shadow",
    b"x-strangler-anything",
]
UNDERSCORES = [b"SCRIPT_NAME", b"PATH_INFO", b"X_User", b"_", b"Content_Length"]


@pytest.mark.parametrize("name", HOP_BY_HOP + CLAIMS + UNDERSCORES + [b"Expect"])
def test_what_is_not_for_the_upstream_never_reaches_it(name: bytes) -> None:
    for spelling in (name, name.lower(), name.upper()):
        assert _sent((b"X-Before", b"1"), (spelling, b"close"), (b"X-After", b"2")) == [
            b"X-Before: 1",
            b"X-After: 2",
        ]


def test_what_connection_nominates_is_removed_wherever_it_stands() -> None:
    hop = [(b"X-Hop", b"1"), (b"Connection", b"x-hop , X-Other"), (b"x-other", b"2"), (b"X-Hops", b"3")]
    assert _sent(*hop) == [b"X-Hops: 3"]


def test_several_nominations_add_up() -> None:
    assert _sent((b"Connection", b"a"), (b"Connection", b"b"), (b"A", b"1"), (b"B", b"2"), (b"C", b"3")) == [
        b"C: 3"
    ]


def test_headers_keep_their_order_case_and_number() -> None:
    headers = [
        (b"X-b", b"1"),
        (b"ACCEPT", b"x"),
        (b"X-B", b""),
        (b"Authorization", b"Basic x"),
        (b"x-b", b"3"),
    ]
    assert _sent(*headers) == [name + b": " + value for name, value in headers]


@pytest.mark.parametrize("query", [b"", b"?", b"??", b"?a=b&a=c;d=%2F%zz+//../x?y"])
def test_a_query_passes_byte_for_byte(query: bytes) -> None:
    head = _read(target=b"/%61//b/../c" + query)
    assert upstream_head(head, b"id", b"F: x").startswith(b"GET /a/c" + query + b" HTTP/1.1\r\n")


def test_several_cookie_lines_are_joined_into_one() -> None:
    cookies = [(b"Cookie", b"a=1"), (b"X-A", b"1"), (b"cookie", b"b=2; c=3")]
    assert _sent(*cookies) == [b"X-A: 1", b"Cookie: a=1; b=2; c=3"]


@pytest.mark.parametrize(
    ("cookie", "lines"),
    [
        (b"strangler_cohort=x.y", []),
        (b"a=1; strangler_cohort=x.y", [b"Cookie: a=1"]),
        (b"a=strangler_cohort", [b"Cookie: a=strangler_cohort"]),
    ],
)
def test_the_cohort_cookie_is_the_proxys_alone(cookie: bytes, lines: list[bytes]) -> None:
    assert _sent((b"Cookie", cookie)) == lines


def test_the_length_of_a_body_is_said_once() -> None:
    assert _sent((b"content-length", b"005")) == [b"Content-Length: 5"]
    assert _sent((b"Content-Length", b"0")) == [b"Content-Length: 0"]
    assert _sent((b"transfer-encoding", b"Chunked")) == [b"Transfer-Encoding: chunked"]
    assert _sent() == []


def test_only_a_body_has_a_length() -> None:
    assert not _read().fields.has_body
    assert not _read((b"Content-Length", b"0")).fields.has_body
    assert _read((b"Content-Length", b"1")).fields.has_body
    assert _read((b"Transfer-Encoding", b"chunked")).fields.has_body


@pytest.mark.parametrize("given", [b"12345678", b"A.b_c-9" * 10])
def test_a_well_formed_request_id_is_accepted(given: bytes) -> None:
    head = _read((b"X-Request-ID", given))
    assert head.fields.request_id == given
    assert head.fields.lines == []


@pytest.mark.parametrize("given", [b"", b"1234567", b"x" * 129, b"with space", b'"quoted--"', b"semi;colon"])
def test_an_odd_request_id_is_not(given: bytes) -> None:
    assert _read((b"X-Request-ID", given)).fields.request_id == b""


def test_expect_counts_for_http11_alone() -> None:
    expect = (b"Expect", b"100-Continue")
    assert _read(expect).expects_continue
    assert not _read(expect, http10=True).expects_continue
    assert not _read((b"Expect", b"something")).expects_continue


def test_a_shadow_is_the_same_head_with_a_mark() -> None:
    head = upstream_head(_read((b"Accept", b"x")), b"id", b"X-Forwarded-For: 1.2.3.4")
    marked = as_shadow(head)
    assert marked == head.removesuffix(b"\r\n") + b"X-Strangler-Shadow: 1\r\n\r\n"
