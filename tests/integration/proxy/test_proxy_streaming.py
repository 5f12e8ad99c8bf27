"""Bodies pass as they come, both ways, at the reader's pace and in bounded memory."""

import threading

from raw_client import Answer, Client, head
from recording_origin import Asked, Gone, Origin, Peer, answer, fresh
from running_proxy import RunningProxy, until

MIB = 1024 * 1024
PART = MIB // 4
LARGE = 50 * MIB
GROWTH = 12 * MIB  # what the workers may grow by while they pass LARGE


def test_an_event_reaches_the_client_before_the_next_is_sent(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    heard = threading.Semaphore(0)

    def events(peer: Peer, asked: Asked) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(3):
            peer.send(b"9\r\ndata: %d\n\n\r\n" % number)
            assert heard.acquire(timeout=10)
        peer.send(b"0\r\n\r\n")

    service.scripted(path, events)
    with Client(proxy.port) as client:
        client.send(head("GET", path))
        client.head()
        for number in range(3):
            assert client.chunk() == b"data: %d\n\n" % number
            heard.release()
        assert client.chunk() == b""


def test_a_head_reaches_the_client_before_its_body(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    head_came = threading.Event()

    def late(peer: Peer, asked: Asked) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        assert head_came.wait(10)
        peer.send(b"hi")

    service.scripted(path, late)
    with Client(proxy.port) as client:
        client.send(head("GET", path))
        client.head()
        head_came.set()
        assert client.take(2) == b"hi"


def test_an_upload_reaches_its_upstream_as_it_comes(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/moved/")
    arrived = threading.Semaphore(0)
    seen: list[bytes] = []

    def reading(peer: Peer, asked: Asked) -> None:
        for _ in range(3):
            while not peer.buffer.endswith(b"\r\n"):
                peer.buffer += peer.receive()
            seen.append(peer.buffer)
            peer.buffer = b""
            arrived.release()
        peer.body(asked)
        peer.send(answer())

    service.scripted(path, reading)
    with Client(proxy.port) as client:
        client.send(head("POST", path, "Transfer-Encoding: chunked"))
        for part in (b"one", b"two", b"six"):
            client.send(b"3\r\n" + part + b"\r\n")
            assert arrived.acquire(timeout=10)
        client.send(b"0\r\n\r\n")
        assert client.answer("POST").status == 200
    assert seen == [b"3\r\none\r\n", b"3\r\ntwo\r\n", b"3\r\nsix\r\n"]


def test_expect_is_answered_once_the_request_is_routed(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/moved/")
    with Client(proxy.port) as client:
        client.send(head("POST", path, "Expect: 100-continue", "Content-Length: 2"))
        assert client.head()[0] == 100
        client.send(b"hi")
        assert client.answer("POST").status == 200
    (asked,) = service.asked(path)
    assert (asked.raw_body, asked.values(b"expect")) == (b"hi", [])


def test_a_refused_upload_is_never_asked_for(proxy: RunningProxy) -> None:
    with Client(proxy.port) as client:
        client.send(head("POST", "/%2f", "Expect: 100-continue", "Content-Length: 2"))
        got = client.answer("POST")
        assert (got.status, got.interim) == (400, ())


def test_an_early_answer_ends_the_upload(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/moved/")
    freed = threading.Event()

    def too_large(peer: Peer, asked: Asked) -> None:
        peer.send(answer(b"too large", status="413 Content Too Large"))
        if peer.sees_the_end():
            freed.set()
        peer.close()

    service.scripted(path, too_large)
    with Client(proxy.port) as client:
        client.send(head("POST", path, f"Content-Length: {LARGE}") + b"x" * 1000)
        got = client.answer("POST")
        assert (got.status, got.body, got.value("Connection")) == (413, b"too large", "close")
        assert client.rest() == b""
    assert freed.wait(10)


def test_an_early_answer_reaches_a_client_that_sends_on(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/moved/")
    answered = threading.Event()

    def too_large(peer: Peer, asked: Asked) -> None:
        peer.send(answer(b"too large", status="413 Content Too Large"))
        assert peer.sees_the_end()  # the proxy has the answer and is done with this upload
        answered.set()
        peer.close()

    service.scripted(path, too_large)
    with Client(proxy.port) as client:
        client.send(head("POST", path, f"Content-Length: {LARGE}") + b"x" * 1000)
        assert answered.wait(10)
        for _ in range(8):
            client.send(b"x" * PART)
        assert client.answer("POST").body == b"too large"


def test_an_answer_that_ends_after_the_upload_still_closes_as_it_said(
    proxy: RunningProxy, service: Origin
) -> None:
    path = fresh("/moved/")

    def overlapping(peer: Peer, asked: Asked) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        peer.body(asked)
        peer.send(b"hi")

    service.scripted(path, overlapping)
    with Client(proxy.port) as client:
        client.send(head("POST", path, "Content-Length: 2"))
        _, headers = client.head()
        assert ("Connection", "close") in headers
        client.send(b"xx")
        assert client.rest() == b"hi"


class _Pouring:
    """An origin's script: LARGE bytes, and how many of them left so far."""

    def __init__(self) -> None:
        self.poured = 0
        self.gone = threading.Event()
        self._last = -1

    def __call__(self, peer: Peer, asked: Asked) -> None:
        try:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE)
            for _ in range(LARGE // PART):
                peer.send(b"x" * PART)
                self.poured += PART
        except Gone:
            self.gone.set()
            raise

    def stalled(self) -> bool:
        """Return whether nothing more left since the last look, though there is more."""
        last, self._last = self._last, self.poured
        return last == self.poured and 0 < self.poured < LARGE


def test_a_large_answer_waits_for_a_slow_reader_in_bounded_memory(
    proxy: RunningProxy, service: Origin
) -> None:
    path, pouring = fresh("/service/"), _Pouring()
    service.scripted(path, pouring)
    with Client(proxy.port) as client:
        before = proxy.resident_bytes()
        client.send(head("GET", path))
        client.head()
        until(pouring.stalled, "the upstream waits for the client")
        most = proxy.resident_bytes()
        for _ in range(LARGE // PART):
            client.take(PART)
    assert pouring.poured == LARGE
    assert most - before < GROWTH


def test_a_large_upload_waits_for_a_slow_upstream_in_bounded_memory(
    proxy: RunningProxy, service: Origin
) -> None:
    path = fresh("/moved/")
    go_on = threading.Event()
    swallowed: list[int] = []

    def swallowing(peer: Peer, asked: Asked) -> None:
        assert go_on.wait(10)
        left = LARGE - len(peer.buffer)
        peer.buffer = b""
        while left:
            left -= len(peer.receive(MIB))
        swallowed.append(LARGE)
        peer.send(answer())

    service.scripted(path, swallowing)
    sent = _Sending(proxy.port, head("POST", path, f"Content-Length: {LARGE}"), b"x" * PART)
    before = proxy.resident_bytes()
    sent.start()
    service.wait_for(path)
    until(sent.stalled, "the upload waits for its upstream")
    most = proxy.resident_bytes()
    go_on.set()
    sent.join()
    assert sent.answer is not None
    assert (sent.answer.status, swallowed) == (200, [LARGE])
    assert most - before < GROWTH


class _Sending(threading.Thread):
    """A client that sends a head and LARGE bytes in equal parts, and keeps the first answer."""

    def __init__(self, port: int, first: bytes, part: bytes) -> None:
        super().__init__()
        self.answer: Answer | None = None
        self._port = port
        self._first = first
        self._part = part
        self._sent = 0
        self._last = -1

    def run(self) -> None:
        with Client(self._port) as client:
            client.send(self._first)
            while self._sent < LARGE:
                client.send(self._part)
                self._sent += len(self._part)
            self.answer = client.answer("POST")

    def stalled(self) -> bool:
        """Return whether nothing more was sent since the last look, though there is more."""
        last, self._last = self._last, self._sent
        return last == self._sent and 0 < self._sent < LARGE


def test_a_client_that_pipelines_without_end_is_read_no_further(proxy: RunningProxy, service: Origin) -> None:
    path, next_path = fresh("/service/"), fresh("/service/")
    release = threading.Event()

    def held(peer: Peer, asked: Asked) -> None:
        assert release.wait(20)
        peer.send(answer(b"first"))

    service.scripted(path, held)
    part = head("GET", next_path, "X-Large: " + "x" * 60_000)
    sent = _Sending(proxy.port, head("GET", path), part)
    sent.start()
    service.wait_for(path)
    until(sent.stalled, "the proxy reads no more requests")
    assert service.asked(next_path) == []
    release.set()
    sent.join()
    assert sent.answer is not None
    assert sent.answer.body == b"first"


def test_a_client_that_stops_reading_stalls_nobody_else(proxy: RunningProxy, service: Origin) -> None:
    path, pouring = fresh("/service/"), _Pouring()
    service.scripted(path, pouring)
    with Client(proxy.port) as lazy:
        lazy.send(head("GET", path))
        lazy.head()
        until(pouring.stalled, "the upstream waits for the client")
        for _ in range(10):
            with Client(proxy.port) as other:
                assert other.ask("GET", fresh("/service/")).status == 200
    assert pouring.gone.wait(10)
