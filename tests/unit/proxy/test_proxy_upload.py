"""A body is framed as it came, kept whole or not at all, and sent again in the same bytes."""

import pytest
from spelling import Header, spelled

from proxy.request_head import read_head
from proxy.upload import Upload

CHUNKED = (b"Transfer-Encoding", b"chunked")
COUNTED = (b"Content-Length", b"10")


class Wire:
    """What an upstream got."""

    def __init__(self) -> None:
        self.sent = b""

    def write(self, data: bytes) -> None:
        self.sent += data


class Asking:
    """A client, as `reply.Client` has it."""

    address = "10.1.2.3"
    forwarded_for = b""
    secure = False

    def __init__(self) -> None:
        self.got = b""
        self.reading = True

    def send(self, data: bytes) -> None:
        self.got += data

    def pause_request(self) -> None:
        self.reading = False

    def resume_request(self) -> None:
        self.reading = True

    def switch(self, tunnel: object) -> None: ...

    def done(self, *, keep_alive: bool) -> None: ...

    def cut(self, *, reset: bool) -> None: ...


def _upload(*headers: Header, client: Asking | None = None) -> Upload:
    return Upload(client or Asking(), read_head(spelled(b"POST", b"/", (b"Host", b"a"), *headers)))


def test_what_came_before_a_connection_is_sent_behind_the_head() -> None:
    upload, wire = _upload(COUNTED), Wire()
    upload.wait(b"12345")
    assert upload.waiting == 5
    upload.begin(wire, b"HEAD")
    upload.send(wire, b"67890")
    upload.end(wire)
    assert wire.sent == b"HEAD1234567890"
    assert upload.waiting == 0


def test_a_chunked_body_stays_chunked_and_ends() -> None:
    upload, wire = _upload(CHUNKED), Wire()
    upload.wait(b"12345")
    upload.begin(wire, b"HEAD")
    upload.send(wire, b"67")
    assert wire.sent == b"HEAD5\r\n12345\r\n2\r\n67\r\n"
    upload.end(wire)
    assert wire.sent.endswith(b"0\r\n\r\n")


def test_a_chunked_body_that_was_all_here_ends_at_once() -> None:
    upload, wire = _upload(CHUNKED), Wire()
    upload.end(None)
    upload.begin(wire, b"HEAD")
    assert wire.sent == b"HEAD0\r\n\r\n"


def test_a_client_that_waits_for_a_word_gets_it_once_somebody_takes_the_body() -> None:
    client = Asking()
    upload = _upload(COUNTED, (b"Expect", b"100-continue"), client=client)
    assert client.got == b""
    upload.begin(Wire(), b"HEAD")
    upload.rewind()
    upload.begin(Wire(), b"HEAD")
    assert client.got == b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize("framing", [CHUNKED, COUNTED])
def test_a_kept_body_is_sent_again_in_the_same_bytes_however_often(framing: Header) -> None:
    upload, wires = _upload(framing), [Wire(), Wire(), Wire()]
    upload.keep(10)
    upload.wait(b"12345")
    upload.begin(wires[0], b"HEAD")
    upload.send(wires[0], b"67890")
    upload.end(wires[0])
    for wire in wires[1:]:
        assert upload.replayable
        upload.rewind()
        upload.begin(wire, b"HEAD")
    body = b"".join(wires[0].sent.split(b"\r\n")[1::2]) if framing is CHUNKED else wires[0].sent[4:]
    assert body.startswith(b"1234567890")
    assert wires[1].sent == wires[2].sent == wires[0].sent


def test_a_body_past_its_bound_is_not_sent_again() -> None:
    upload, wire = _upload(CHUNKED), Wire()
    upload.keep(10)
    upload.begin(wire, b"HEAD")
    upload.send(wire, b"1234567890")
    upload.send(wire, b"1")
    upload.send(wire, b"2")
    upload.end(wire)
    assert not upload.replayable


def test_a_body_that_is_still_coming_is_not_sent_again() -> None:
    upload, wire = _upload(COUNTED), Wire()
    upload.keep(10)
    upload.begin(wire, b"HEAD")
    assert upload.replayable  # nothing of it has left
    upload.send(wire, b"12345")
    assert not upload.replayable
    upload.send(wire, b"67890")
    upload.end(wire)
    assert upload.replayable


def test_nothing_is_kept_unasked() -> None:
    upload, wire = _upload(COUNTED), Wire()
    upload.begin(wire, b"HEAD")
    upload.send(wire, b"1234567890")
    upload.end(wire)
    assert not upload.replayable


def test_a_copy_is_whole_or_there_is_none() -> None:
    upload, wire = _upload(COUNTED), Wire()
    upload.keep(10)
    upload.begin(wire, b"HEAD")
    upload.send(wire, b"12345")
    assert upload.copy() is None  # more of it comes
    upload.send(wire, b"67890")
    upload.end(wire)
    assert upload.copy() == b"1234567890"


def test_what_waits_for_an_upstream_is_in_the_copy() -> None:
    upload = _upload(COUNTED)
    upload.keep(10)
    upload.wait(b"1234567890")
    upload.end(None)
    assert upload.copy() == b"1234567890"


def test_there_is_no_copy_of_what_was_not_kept() -> None:
    upload, wire = _upload(CHUNKED), Wire()
    upload.keep(4)
    upload.begin(wire, b"HEAD")
    upload.send(wire, b"12345")
    upload.end(wire)
    assert upload.copy() is None
