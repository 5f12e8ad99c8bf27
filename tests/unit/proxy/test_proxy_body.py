"""A body is cut out of what arrives as its framing says, however the bytes are cut; llhttp is the witness."""

import itertools

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy.body import LAST_CHUNK, Body, Chunked, Counted, Fault, UntilClose, chunk

LIMIT = 200
WHOLE = b"5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\nX-B:2 \r\n\r\n"


def _fed(body: Body, data: bytes, *cuts: int) -> bytes:
    """Feed `data` cut at places, until the body is done or at fault; return the body's bytes."""
    places = [0, *sorted({cut for cut in cuts if 0 < cut < len(data)}), len(data)]
    got = b""
    for start, end in itertools.pairwise(places):
        got += b"".join(body.feed(data[start:end]))
        if body.done:
            body.rest += data[end:]
            break
        if body.fault is not None:
            break
    return got


@given(st.lists(st.integers(1, len(WHOLE))))
def test_chunks_come_out_the_same_however_they_are_cut(cuts: list[int]) -> None:
    body = Chunked(LIMIT)
    assert _fed(body, WHOLE + b"GET /", *cuts) == b"hello!"
    assert (body.done, body.fault, body.rest) == (True, None, b"GET /")
    assert body.trailers == [(b"X-Sum", b"1"), (b"X-B", b"2")]


@given(st.binary(min_size=1, max_size=50), st.binary(max_size=20), st.lists(st.integers(1, 70)))
def test_a_counted_body_ends_after_its_number_of_bytes(data: bytes, behind: bytes, cuts: list[int]) -> None:
    body = Counted(len(data))
    assert _fed(body, data + behind, *cuts) == data
    assert (body.done, body.rest) == (True, behind)


def test_a_body_until_close_is_never_done() -> None:
    body = UntilClose()
    assert body.feed(b"anything") == [b"anything"]
    assert not body.done


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5))
def test_what_the_proxy_writes_in_chunks_it_reads_again(parts: list[bytes]) -> None:
    body = Chunked(LIMIT)
    assert _fed(body, b"".join(map(chunk, parts)) + LAST_CHUNK) == b"".join(parts)
    assert body.done


@pytest.mark.parametrize(
    "data",
    [
        b"5\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhellox\r\n0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"ffffffffffffffff\r\n",
        b"5;a\x00b\r\nhello\r\n0\r\n\r\n",
        b"5;a\rb\r\nhello\r\n0\r\n\r\n",
        b"0\r\nX A: 1\r\n\r\n",
        b"0\r\n folded\r\n\r\n",
        b"0\r\ncontent-length: 0\r\n\r\n",
        b"x" * 5000,
    ],
)
@pytest.mark.parametrize("every", [1, 3, 10_000])
def test_chunks_that_are_not_framed_are_never_whole(data: bytes, every: int) -> None:
    body = Chunked(LIMIT)
    _fed(body, data, *range(0, len(data), every))
    assert (body.done, body.fault) == (False, Fault.FRAMING)


@pytest.mark.parametrize("trailers", [b"X: " + b"x" * LIMIT, b"X: y\r\n" * 40, b"X: y\r\n" * 30 + b"x" * 40])
@pytest.mark.parametrize("every", [1, 10_000])
def test_trailers_past_the_limit_are_refused(trailers: bytes, every: int) -> None:
    body = Chunked(LIMIT)
    data = b"0\r\n" + trailers
    _fed(body, data, *range(0, len(data), every))
    assert (body.done, body.fault) == (False, Fault.TRAILERS)


class _Witness:
    """What llhttp makes of a chunked body."""

    def __init__(self, data: bytes) -> None:
        self.body = b""
        self.done = False
        parser = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
        except httptools.HttpParserError:
            self.done = False

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.done = True


_pieces = st.sampled_from(
    (
        b"0",
        b"1",
        b"5",
        b"a",
        b"A",
        b"\r\n",
        b"\r",
        b"\n",
        b"\r\n\r\n",
        b"hello",
        b"x",
        b";",
        b";e=1",
        b" ",
        b"\t",
        b"0\r\n\r\n",
        b"5\r\nhello\r\n",
        b"X: 1\r\n",
        b"\x00",
        b"\xff",
        b"-",
        b"+",
        b"0x",
    )
)


@given(st.lists(_pieces, max_size=12).map(b"".join))
@example(b"5\r\nhello\r\n0\r\n\r\n")
def test_what_is_whole_here_is_whole_for_llhttp_and_the_same(data: bytes) -> None:
    body = Chunked(LIMIT)
    got = _fed(body, data)
    if body.done:
        witness = _Witness(data[: len(data) - len(body.rest)])
        assert (witness.done, witness.body) == (True, got)
