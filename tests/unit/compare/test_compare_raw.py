"""A raw HTTP response is read as a client would read it, and refused where clients would disagree."""

import pytest

from strangler.compare import raw
from strangler.compare.exchange import learn_exchange
from tests.cases.compare.answers import answer


def test_a_length_decides_where_the_body_ends():
    response = raw.parse(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}\n", "GET")
    assert (response.status, response.body, response.truncated) == (200, b"{}", False)


def test_chunks_are_put_together():
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    assert raw.parse(data, "GET").body == b"{}"


def test_bare_line_feeds_are_read():
    assert raw.parse(b"HTTP/1.1 404 Not Found\nA: b\n\n{}", "GET").headers == ((b"A", b"b"),)


def test_repeated_fields_stay_apart_and_in_order():
    data = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n"
    assert raw.parse(data, "GET").headers == ((b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2"))


def test_head_and_304_have_no_body():
    assert raw.parse(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n", "HEAD").body == b""
    assert raw.parse(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 90\r\n\r\n", "GET").truncated is False


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
    ],
)
def test_a_body_that_breaks_off_is_truncated(data):
    assert raw.parse(data, "GET").truncated is True


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_certain_response_is_malformed(data):
    with pytest.raises(raw.Malformed):
        raw.parse(data, "GET")


def test_an_origin_is_learned_from_links_to_the_path_asked():
    pages = tuple(
        answer(f'{{"next":"http://{host}/api/items/?page=2","docs":"http://docs.example/"}}')
        for host in ("127.0.0.1:8001", "127.0.0.1:8101")
    )
    exchange = learn_exchange("GET", "/api/items/?page=1", pages)
    assert exchange.origins == {"http://127.0.0.1:8001", "http://127.0.0.1:8101"}


def test_no_path_teaches_no_origin():
    page = answer('{"next":"http://a/api/"}')
    assert learn_exchange("GET", "", (page, page)).origins == frozenset()


def test_a_relative_redirect_vouches_for_an_unknown_host():
    exchange = learn_exchange("GET", "", (answer(), answer()))
    assert exchange.leads_alike("/item/", "http://any.example/item/")
    assert not exchange.leads_alike("/item/", "http://any.example/items/")
    assert not exchange.leads_alike("http://a.example/item/", "http://b.example/item/")
