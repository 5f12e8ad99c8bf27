"""Pairs survive their frames, however the stream is cut; a broken stream is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.pairs import MAX_FRAME, BadFrame, Failure, FrameReader, Pair, Request, Response, encode

_headers = st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=8)), max_size=3).map(tuple)
_seconds = st.floats(0, 100)
_responses = st.builds(
    Response, st.integers(100, 599), _headers, st.binary(max_size=64), st.booleans(), _seconds
)
_failures = st.builds(Failure, st.text(max_size=8), _seconds)
_requests = st.builds(Request, st.text(max_size=4), st.text(max_size=16), _headers, st.binary(max_size=8))
_texts = [st.text(max_size=6)] * 5
_pairs = st.builds(
    Pair, st.text(max_size=8), _seconds, *_texts, _requests, _responses | _failures, _responses | _failures
)


def _pair(body: bytes = b"") -> Pair:
    answer = Response(200, ((b"A", b"\xff"),), body, False, 0.1)
    request = Request("GET", "/a?b", ((b"Host", b"a"),), b"")
    return Pair("id", 1.0, "r", "shadow", "v", "monolith", "catalog", request, answer, Failure("gone", 0.2))


@pytest.mark.parametrize("length", [MAX_FRAME + 1, 2**32 - 1])
def test_an_oversized_frame_is_refused_before_it_is_read(length: int) -> None:
    with pytest.raises(BadFrame, match=str(MAX_FRAME)):
        list(FrameReader().feed(length.to_bytes(4, "big")))


@pytest.mark.parametrize("body", [b"", b"\xc1", b"nonsense", b"\x80", encode(_pair())[4:] + b"x"])
def test_a_frame_that_is_no_pair_is_refused(body: bytes) -> None:
    with pytest.raises(BadFrame):
        list(FrameReader().feed(len(body).to_bytes(4, "big") + body))


@given(st.lists(_pairs, max_size=4), st.lists(st.integers(1, 200), max_size=30))
def test_pairs_come_out_as_they_went_in_however_cut(pairs: list[Pair], cuts: list[int]) -> None:
    stream = b"".join(map(encode, pairs))
    reader = FrameReader()
    found: list[Pair] = []
    for size in cuts:
        found += reader.feed(stream[:size])
        stream = stream[size:]
    found += reader.feed(stream)
    assert found == pairs


def test_pairs_come_out_byte_by_byte_too() -> None:
    reader = FrameReader()
    stream = encode(_pair(b"one")) + encode(_pair(b"two"))
    found = [pair for at in range(len(stream)) for pair in reader.feed(stream[at : at + 1])]
    assert found == [_pair(b"one"), _pair(b"two")]


def test_an_unfinished_frame_yields_nothing_yet() -> None:
    reader = FrameReader()
    frame = encode(_pair())
    assert list(reader.feed(frame[:-1])) == []
    assert list(reader.feed(frame[-1:])) == [_pair()]
