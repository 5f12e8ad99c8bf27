"""What can be seen of a decision: traces, debug headers, recent counts, unmatched paths, references."""

import time
from collections.abc import Callable

import pytest
from raw_client import HOST, Answer, Client, fetch, head
from recording_origin import Origin, answer, fresh, says
from running_proxy import RunningProxy, until

from proxy.claims import Purpose, signed
from proxy.routes import version_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN = f"00-{TRACE}-00f067aa0ba902b7-00"
DEBUG = ("X-Strangler-Route", "X-Strangler-Stage", "X-Strangler-Target", "X-Strangler-Version")


def _traces(origin: Origin, path: str) -> list[bytes]:
    return origin.wait_for(path)[0].values(b"traceparent")


def test_a_malformed_trace_is_replaced_and_its_state_dropped(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    fetch(proxy.port, path, f"traceparent: {GIVEN.upper()}", "tracestate: a=1")
    (made,) = _traces(service, path)
    assert TRACE.encode() not in made
    assert service.asked(path)[0].values(b"tracestate") == []


def test_two_traces_are_as_good_as_none(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    fetch(proxy.port, path, f"traceparent: {GIVEN}", f"traceparent: {GIVEN}")
    (made,) = _traces(service, path)
    assert TRACE.encode() not in made


def test_a_trace_goes_on_with_its_state(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    fetch(proxy.port, path, f"Traceparent: {GIVEN}", "tracestate: a=1", "tracestate: b=2")
    assert _traces(service, path) == [GIVEN.encode()]
    assert service.asked(path)[0].values(b"tracestate") == [b"a=1,b=2"]


@pytest.mark.parametrize("lines", [(), (f"traceparent: {GIVEN}",)])
def test_a_shadow_has_a_span_of_its_own_in_the_same_trace(
    proxy: RunningProxy, monolith: Origin, service: Origin, lines: tuple[str, ...]
) -> None:
    path = fresh("/shadow/")
    fetch(proxy.port, path, *lines)
    (control,), (candidate,) = _traces(monolith, path), _traces(service, path)
    assert control[:36] == candidate[:36]
    assert control[36:52] != candidate[36:52]
    assert control[52:] == candidate[52:]


def _debug(got: Answer) -> list[list[str]]:
    return [got.values(name) for name in DEBUG]


def _claim(running: RunningProxy, seconds: int) -> str:
    secret = (running.control / "secret").read_bytes()
    return "X-Strangler-Debug: " + signed(secret, Purpose.DEBUG, int(time.time()) + seconds)


@pytest.mark.parametrize("claim", ["", "1", "9999999999." + "0" * 64])
def test_an_unsigned_claim_shows_nothing_and_reaches_nobody(
    proxy: RunningProxy, service: Origin, claim: str
) -> None:
    path = fresh("/service/")
    assert _debug(fetch(proxy.port, path, f"X-Strangler-Debug: {claim}")) == [[], [], [], []]
    assert service.asked(path)[0].values(b"x-strangler-debug") == []


def test_an_expired_claim_shows_nothing(proxy: RunningProxy) -> None:
    assert _debug(fetch(proxy.port, fresh("/service/"), _claim(proxy, -1))) == [[], [], [], []]


def test_a_signed_caller_sees_how_it_was_decided(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    version = version_of(proxy.table.read_text())
    shown = _debug(fetch(proxy.port, path, _claim(proxy, 60)))
    assert shown == [["service"], ["service"], ["service"], [version]]
    assert service.asked(path)[0].values(b"x-strangler-debug") == []
    elsewhere = _debug(fetch(proxy.port, fresh("/elsewhere/"), _claim(proxy, 60)))
    assert elsewhere == [["-"], ["-"], ["monolith"], [version]]


def test_debug_shows_every_caller_its_decision(start: Callable[..., RunningProxy]) -> None:
    running = start(options=("--debug",), workers=1)
    with Client(running.port) as client:
        assert client.ask("GET", fresh("/shadow/")).value("X-Strangler-Target") == "monolith"
        assert client.ask("GET", fresh("/retired/")).value("X-Strangler-Stage") == "retired"
        assert client.ask("GET", "/%2f").values("X-Strangler-Target") == []


def test_a_worker_tells_what_it_answered_lately(start: Callable[..., RunningProxy]) -> None:
    running = start(workers=1)
    for _ in range(3):
        fetch(running.port, fresh("/service/"))
    (status,) = running.ask("status")
    wanted = {"service": {"service": {"requests": 3, "errors": 0}}}
    assert status["recent"] == {"60": wanted, "300": wanted, "900": wanted}


def test_a_worker_tells_what_no_route_names(start: Callable[..., RunningProxy]) -> None:
    running = start(workers=1)
    for number in range(3):
        fetch(running.port, f"/orders/{number}/")
    fetch(running.port, fresh("/service/"), method="POST", body=b"x")  # a method that the route does not name
    (status,) = running.ask("status")
    assert status["unmatched"] == [
        {"method": "GET", "path": "/orders/{id}/", "requests": 3},
        {"method": "POST", "path": "/service/{id}", "requests": 1},
    ]


def test_an_upstreams_own_address_never_reaches_the_client(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    own = service.url.encode() + b"/a?b=1"
    headers = [(b"location", own), (b"Content-Location", own)]
    service.scripted(path, says(answer(own, status="302 Found", headers=headers)))
    got = fetch(proxy.port, path)
    assert got.value("Location") == got.value("Content-Location") == f"http://{HOST}/a?b=1"
    assert got.body == own  # never a body


@pytest.mark.parametrize("value", [b"/a", b"../a", b"https://elsewhere.example/a"])
def test_other_references_reach_the_client_as_they_are(
    proxy: RunningProxy, service: Origin, value: bytes
) -> None:
    path = fresh("/service/")
    service.scripted(path, says(answer(status="302 Found", headers=[(b"Location", value)])))
    assert fetch(proxy.port, path).value("Location") == value.decode()


WITH_TRAILERS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    b"2\r\nhi\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=1\r\nTE: x\r\n"
    b"X-Strangler-Target: x\r\nX-B: 2\r\n\r\n"
)


def _raw(running: RunningProxy, path: str, *lines: str) -> bytes:
    with Client(running.port) as client:
        client.send(head("GET", path, "Connection: close", *lines))
        client.head()
        return client.rest()


def test_trailers_reach_a_client_that_takes_them(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    service.scripted(path, says(WITH_TRAILERS))
    assert _raw(proxy, path, "TE: gzip;q=0.5, trailers") == b"2\r\nhi\r\n0\r\nX-Sum: 1\r\nX-B: 2\r\n\r\n"
    assert service.asked(path)[0].values(b"te") == [b"trailers"]
    assert service.asked(path)[0].values(b"connection") == [b"TE"]


def test_trailers_reach_nobody_who_did_not_ask(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    service.scripted(path, says(WITH_TRAILERS))
    assert _raw(proxy, path, "TE: gzip") == b"2\r\nhi\r\n0\r\n\r\n"
    assert service.asked(path)[0].values(b"te") == []


@pytest.mark.parametrize("field", [b"Content-Length: 9", b"X-A: a\0b", b" folded"])
def test_trailers_that_are_no_http_cut_the_answer(proxy: RunningProxy, service: Origin, field: bytes) -> None:
    path = fresh("/service/")
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n" + field + b"\r\n\r\n"
    service.scripted(path, says(data))
    assert _raw(proxy, path, "TE: trailers") == b"2\r\nhi\r\n"


def test_trailers_without_end_cut_the_answer(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    endless = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Long: " + b"x" * 200_000
    )
    service.scripted(path, says(endless))
    with Client(proxy.port) as client:
        client.send(head("GET", path))
        client.head()
        assert client.rest() == b"2\r\nhi\r\n"


def test_the_status_of_a_busy_worker_counts_by_the_minute(start: Callable[..., RunningProxy]) -> None:
    running = start(workers=2)

    def counted() -> bool:
        fetch(running.port, fresh("/monolith/"))
        workers = running.ask("status")
        return all(worker["recent"]["60"].get("monolith") for worker in workers)

    until(counted, "both workers have answered")
    recent = [worker["recent"]["900"]["monolith"]["monolith"]["requests"] for worker in running.ask("status")]
    assert sum(recent) == running.total("monolith")
