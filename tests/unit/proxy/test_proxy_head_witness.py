"""Whatever head the proxy reads, llhttp reads it too, and reads the same: neighbours agree."""

import httptools
from hypothesis import given
from hypothesis import strategies as st

from proxy.answer_head import BadAnswer, read_answer
from proxy.errors import RequestRefused
from proxy.fields import lines_of, read_field
from proxy.request_head import read_head

Field = tuple[bytes, bytes]


class _Witness:
    """What llhttp makes of a message's head."""

    def __init__(self) -> None:
        self.target = b""
        self.fields: list[Field] = []
        self.complete = False

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value.strip(b" \t")))  # it leaves the space behind a value

    def on_headers_complete(self) -> None:
        self.complete = True


_texts = st.sampled_from(
    (
        b"a",
        b"Host",
        b"X-A",
        b":",
        b": ",
        b" ",
        b"\t",
        b"\r\n",
        b"\r",
        b"\n",
        b"\x00",
        b"\x0b",
        b"\x7f",
        b"\xe9",
        b"(",
        b"Content-Length: 5",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"5",
        b",",
        b'"',
        b"\r\n ",
        b"_",
    )
)
_garbled = st.lists(_texts, max_size=8).map(b"".join)
_lines = st.sampled_from(
    (
        b"X-A: 1",
        b"x-a:2",
        b"Accept:  */* ",
        b"Content-Length: 0",
        b"Cookie: a=1",
        b"Connection: close",
        b"X_B: 1",
    )
)
_blocks = st.lists(st.one_of(_lines, _garbled), max_size=5)
_targets = st.sampled_from(
    (
        b"/",
        b"/a/b",
        b"/a?b=c",
        b"/%61",
        b"*",
        b"http://h/x",
        b"/a b",
        b"/\xe9",
        b"//x",
        b"/a#b",
        b"",
        b"h:80",
        b"/a?\xe9",
    )
)
_methods = st.sampled_from(
    (
        b"GET",
        b"POST",
        b"OPTIONS",
        b"get",
        b"G(T",
        b"",
        b"PATCH",
    )
)
_versions = st.sampled_from(
    (
        b"HTTP/1.1",
        b"HTTP/1.0",
        b"HTTP/2.0",
        b"HTTP/1.2",
        b"http/1.1",
        b"HTTP/1.1 ",
        b"",
    )
)


@given(_methods, _targets, _versions, _blocks)
def test_a_request_that_is_forwarded_is_the_one_llhttp_reads(
    method: bytes, target: bytes, version: bytes, block: list[bytes]
) -> None:
    text = b"\r\n".join([b" ".join((method, target, version)), b"Host: h", *block])
    try:
        head = read_head(text)
    except RequestRefused:
        return
    witness = _Witness()
    parser = httptools.HttpRequestParser(witness)
    parser.feed_data(text + b"\r\n\r\n")
    assert witness.complete
    assert (parser.get_method(), witness.target) == (head.method, target)
    assert witness.fields == [read_field(line) for line in lines_of(text.partition(b"\r\n")[2])]


_status_lines = st.sampled_from(
    (
        b"HTTP/1.1 200 OK",
        b"HTTP/1.0 404 Not Found",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 ",
        b"HTTP/1.1 99 X",
        b"HTTP/2 200 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1  200 OK",
        b"200 OK",
        b"HTTP/1.1 200 O\x00K",
    )
)


@given(_status_lines, _blocks)
def test_an_answer_that_is_passed_on_is_the_one_llhttp_reads(line: bytes, block: list[bytes]) -> None:
    text = b"\r\n".join([line, *block])
    try:
        head = read_answer(text)
    except BadAnswer:
        return
    witness = _Witness()
    parser = httptools.HttpResponseParser(witness)
    parser.feed_data(text + b"\r\n\r\n")
    assert witness.complete
    assert parser.get_status_code() == head.status
    assert witness.fields == head.headers
