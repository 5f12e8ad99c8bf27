"""What an answer's head becomes on its way to a client, and which heads are no answer."""

from dataclasses import dataclass

import pytest
from spelling import Header, block

from proxy.answer_head import (
    AnswerHead,
    BadAnswer,
    Framing,
    client_head,
    error_answer,
    framing_of,
    read_answer,
)
from proxy.errors import ForwardError

EXTRA = b"X-Request-ID: id\r\n"


@dataclass(frozen=True)
class Audience:
    """Who an answer is for."""

    is_head: bool = False
    http10: bool = False
    keep_alive: bool = True


LENGTH = (b"content-length", b"5")
CHUNKED = (b"transfer-encoding", b"Chunked")


def _framing(answer: AnswerHead, audience: Audience) -> Framing:
    return framing_of(answer, is_head=audience.is_head, http10=audience.http10)


def _head(answer: AnswerHead, audience: Audience) -> bytes:
    framing = _framing(answer, audience)
    keep_alive = audience.keep_alive and framing is not Framing.CLOSE
    return client_head(answer, framing, http10=audience.http10, keep_alive=keep_alive, extra=EXTRA)


def _lines(status: int, *headers: Header, audience: Audience | None = None) -> list[bytes]:
    """Return the lines the client gets between the status line and the proxy's own."""
    sent = _head(AnswerHead(status, block(*headers)), audience or Audience())
    assert sent.endswith(b"\r\n" + EXTRA + b"\r\n")
    return sent.removesuffix(b"\r\n" + EXTRA + b"\r\n").split(b"\r\n")[1:]


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"identity", b"xchunked", b""])
def test_a_transfer_coding_that_is_not_chunked_is_no_answer(coding: bytes) -> None:
    with pytest.raises(BadAnswer):
        AnswerHead(200, block((b"Transfer-Encoding", coding)))


def test_chunked_twice_is_no_answer() -> None:
    with pytest.raises(BadAnswer):
        AnswerHead(200, block(CHUNKED, CHUNKED))


@pytest.mark.parametrize(
    ("headers", "audience", "framing"),
    [
        ([LENGTH], Audience(), Framing.LENGTH),
        ([LENGTH], Audience(http10=True), Framing.LENGTH),
        ([CHUNKED], Audience(), Framing.CHUNKED),
        ([CHUNKED], Audience(http10=True), Framing.CLOSE),
        ([], Audience(), Framing.CHUNKED),
        ([], Audience(http10=True), Framing.CLOSE),
        ([LENGTH], Audience(is_head=True), Framing.NONE),
        ([CHUNKED], Audience(is_head=True), Framing.NONE),
    ],
)
def test_a_body_is_delimited_as_its_reader_can_tell(
    headers: list[Header], audience: Audience, framing: Framing
) -> None:
    assert _framing(AnswerHead(200, block(*headers)), audience) is framing


@pytest.mark.parametrize("status", [204, 205, 304])
@pytest.mark.parametrize("headers", [[], [LENGTH], [CHUNKED]])
def test_these_answers_have_no_body(status: int, headers: list[Header]) -> None:
    assert _framing(AnswerHead(status, block(*headers)), Audience()) is Framing.NONE


@pytest.mark.parametrize(
    ("status", "headers", "lines"),
    [
        (200, [LENGTH], [b"Content-Length: 5"]),
        (200, [CHUNKED], [b"Transfer-Encoding: chunked"]),
        (200, [], [b"Transfer-Encoding: chunked"]),
        (204, [LENGTH], []),
        (204, [], []),
        (205, [LENGTH], [b"Content-Length: 0"]),
        (205, [], [b"Content-Length: 0"]),
        (304, [LENGTH], [b"Content-Length: 5"]),
        (304, [CHUNKED], []),
    ],
)
def test_a_head_says_how_its_body_ends(status: int, headers: list[Header], lines: list[bytes]) -> None:
    assert _lines(status, *headers) == lines


def test_head_keeps_the_length_it_was_told() -> None:
    assert _lines(200, LENGTH, audience=Audience(is_head=True)) == [b"Content-Length: 5"]
    assert _lines(200, CHUNKED, audience=Audience(is_head=True)) == []


@pytest.mark.parametrize(
    ("audience", "headers", "line"),
    [
        (Audience(keep_alive=False), [LENGTH], b"Connection: close"),
        (Audience(http10=True), [LENGTH], b"Connection: keep-alive"),
        (Audience(http10=True, keep_alive=False), [LENGTH], b"Connection: close"),
        (Audience(http10=True), [CHUNKED], b"Connection: close"),
    ],
)
def test_a_client_is_told_whether_its_connection_stays(
    audience: Audience, headers: list[Header], line: bytes
) -> None:
    assert _lines(200, *headers, audience=audience)[-1] == line


@pytest.mark.parametrize(
    "name",
    [
        b"Connection",
        b"Keep-Alive",
        b"Proxy-Connection",
        b"Proxy-Authenticate",
        b"TE",
        b"Trailer",
        b"Upgrade",
        b"X-Request-ID",
        b"X-Strangler-Declined",
        b"x-strangler-anything",
    ],
)
def test_what_is_not_for_the_client_never_reaches_it(name: bytes) -> None:
    for spelling in (name, name.lower(), name.upper()):
        lines = _lines(200, (b"X-Before", b"1"), (spelling, b"keep-alive"), (b"X-After", b"2"), LENGTH)
        assert lines == [b"X-Before: 1", b"X-After: 2", b"Content-Length: 5"]


def test_what_connection_nominates_is_removed() -> None:
    headers = [(b"X-Hop", b"1"), (b"Connection", b"keep-alive, x-hop"), (b"X-Kept", b"1"), LENGTH]
    assert _lines(200, *headers) == [b"X-Kept: 1", b"Content-Length: 5"]


def test_headers_keep_their_order_case_and_number() -> None:
    headers = [(b"Set-Cookie", b"a=1, b"), (b"ETAG", b'W/"x"'), (b"set-cookie", b"b=2"), (b"Vary", b"")]
    assert _lines(200, *headers, LENGTH)[:-1] == [name + b": " + value for name, value in headers]


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (200, b"HTTP/1.1 200 OK"),
        (404, b"HTTP/1.1 404 Not Found"),
        (299, b"HTTP/1.1 299 "),
        (599, b"HTTP/1.1 599 "),
    ],
)
def test_a_status_is_passed_on_with_a_phrase_where_there_is_one(status: int, line: bytes) -> None:
    assert _head(AnswerHead(status, block(LENGTH)), Audience()).split(b"\r\n")[0] == line


@pytest.mark.parametrize("error", ForwardError)
def test_the_proxys_own_answer_fits_its_error(error: ForwardError) -> None:
    head, body = error_answer(error, b"id")
    headers = dict(head.headers)
    assert head.status == error.status
    assert head.length == len(body)
    assert error.sentence.encode() in body
    assert b'"id"' in body
    assert (b"Allow" in headers) is (error.status == 405)
    assert (b"Retry-After" in headers) is (error.status == 503)


def test_an_answer_that_says_the_same_again_is_judged_the_same_and_is_its_own() -> None:
    fields = block((b"Location", b"http://a/"), (b"Set-Cookie", b"a=1"), LENGTH)
    text = b"HTTP/1.1 200 OK\r\n" + fields
    first, second, third = (read_answer(text) for _ in range(3))
    assert first.lines == second.lines == third.lines
    assert (second.length, second.refers, second.sets_cookies) == (first.length, True, True)
    assert second.headers == first.headers
    second.lines = [b"changed"]
    second.length = None
    assert third.lines == first.lines == read_answer(text).lines
    assert read_answer(text).length == first.length
