"""The monolith answers because the service failed: when it does, when it must not, never twice a write."""

import json
import threading
from collections.abc import Callable, Iterator
from itertools import product

import pytest
import requests
from raw_client import Answer, BrokenOff, Client, fetch, head
from recording_origin import (
    Asked,
    Gone,
    Origin,
    Peer,
    Script,
    answer,
    fresh,
    resets,
    says,
    says_and_closes,
)
from running_proxy import ALL, ALONE, STEADY, RunningProxy, route, table, until

from tests.ports import free_port

Start = Callable[..., RunningProxy]

LISTED = "fallback = { on = [503] }"
IMPATIENT = "timeouts = { head = 0.2, connect = 0.5 }"
READS, WRITES = ("GET", "HEAD", "OPTIONS"), ("POST", "PUT", "PATCH", "DELETE")
LARGE = b"x" * 3_000_000
FROM_MONOLITH = b'{"from":"monolith"}'


@pytest.fixture(scope="module")
def proxy(
    tmp_path_factory: pytest.TempPathFactory, monolith: Origin, service: Origin
) -> Iterator[RunningProxy]:
    """A proxy whose groups `reads` and `writes` are owned by the monolith and the service."""
    text = table(
        monolith.url,
        service.url,
        route("owned-by-monolith", "service", STEADY, LISTED, IMPATIENT, methods=READS),
        route("owned-by-service", "service", STEADY, LISTED, IMPATIENT, methods=ALL, group="writes"),
        route("alone", "service", STEADY, ALONE, IMPATIENT, methods=READS),
        route("gone", "retired", STEADY, LISTED, IMPATIENT, methods=ALL, group="writes"),
        route("roomy", "service", STEADY, "fallback = { max_body = 4_000_000 }", methods=READS),
        route("reverse", "service", STEADY, LISTED, "shadow = { percent = 100 }"),
    )
    running = RunningProxy(tmp_path_factory.mktemp("fallback"), text, workers=1)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def bereft(tmp_path_factory: pytest.TempPathFactory, monolith: Origin) -> Iterator[RunningProxy]:
    """A proxy whose service does not listen."""
    text = table(
        monolith.url,
        f"http://127.0.0.1:{free_port()}",
        route("owned-by-monolith", "service", STEADY, methods=READS),
        route("owned-by-service", "service", STEADY, methods=ALL, group="writes"),
        route("alone", "service", STEADY, ALONE),
        route("gone", "retired", STEADY, methods=ALL, group="writes"),
    )
    running = RunningProxy(tmp_path_factory.mktemp("bereft"), text, workers=1)
    yield running
    running.stop()


def _silent(peer: Peer, asked: Asked) -> None:
    """Read the request and never answer."""
    peer.body(asked)
    peer.sees_the_end()
    peer.close()


def _closes_kept(peer: Peer, asked: Asked) -> None:
    """Close instead of answering; a fresh connection too, so that a retry does not help."""
    peer.body(asked)
    peer.close()


FAILED = answer(b"failed", "503 Service Unavailable", [(b"X-Failed", b"1"), (b"Set-Cookie", b"failed=1")])
UNLISTED = answer(b"broken", "500 Internal Server Error")
DECLINED = answer(b"declined", "501 Not Implemented", [(b"X-Strangler-Declined", b"not yet")])
TRUNCATED = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhell"

KINDS: dict[str, Script] = {
    "reset": resets,
    "reused and closed": _closes_kept,
    "no head": _silent,
    "listed": says(FAILED),
    "unlisted": says(UNLISTED),
    "declined": says(DECLINED),
    "truncated": says_and_closes(TRUNCATED),
    "garbage": says_and_closes(b"garbage\r\n\r\n"),
}
STATUS_OF_A_WRITE = {
    "reset": 502,
    "reused and closed": 502,
    "no head": 504,
    "listed": 503,
    "unlisted": 500,
    "declined": 501,
    "garbage": 502,
}
NEVER_FALL_BACK = ("unlisted", "truncated")
OWNERS = ("monolith", "service")


def _provoked(
    running: RunningProxy, service: Origin, kind: str, method: str, path: str, body: bytes
) -> Answer | None:
    """Ask on a warm upstream connection for what fails as `kind` says; None where the answer broke off."""
    service.scripted(path, KINDS[kind])
    with Client(running.port) as client:
        if kind == "reused and closed":
            assert client.ask("GET", fresh(path.rpartition("/")[0] + "/")).status == 200
        try:
            return client.ask(method, path, body=body)
        except (BrokenOff, ConnectionResetError, BrokenPipeError):
            return None


@pytest.mark.parametrize(("kind", "method", "body"), list(product(KINDS, WRITES, (b"", b"x", LARGE))))
def test_both_origins_together_receive_a_write_at_most_once(
    proxy: RunningProxy, monolith: Origin, service: Origin, kind: str, method: str, body: bytes
) -> None:
    path = fresh("/owned-by-service/")
    got = _provoked(proxy, service, kind, method, path, body)
    assert (len(service.asked(path)), len(monolith.asked(path))) == (1, 0)
    assert got is None or got.status == STATUS_OF_A_WRITE.get(kind, 200)
    assert got is not None or kind == "truncated" or body == LARGE


@pytest.mark.parametrize(
    ("kind", "method", "owner"),
    list(product(sorted(KINDS.keys() - set(NEVER_FALL_BACK)), ("GET", "OPTIONS"), OWNERS)),
)
def test_a_failed_read_is_answered_by_the_monolith(
    proxy: RunningProxy, monolith: Origin, service: Origin, kind: str, method: str, owner: str
) -> None:
    path = fresh(f"/owned-by-{owner}/")
    got = _provoked(proxy, service, kind, method, path, b"")
    assert got is not None
    assert (got.status, got.body) == (200, FROM_MONOLITH)
    assert len(monolith.asked(path)) == 1
    retried = kind == "reused and closed"
    assert len(service.asked(path)) in ({2} if retried else {1, 2} if kind == "reset" else {1})


def test_a_failed_head_request_is_answered_by_the_monolith(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/owned-by-service/")
    service.scripted(path, says(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 6\r\n\r\n"))
    assert fetch(proxy.port, path, method="HEAD").status == 200


@pytest.mark.parametrize("owner", OWNERS)
def test_a_truncated_answer_is_cut_and_never_replaced(
    proxy: RunningProxy, monolith: Origin, service: Origin, owner: str
) -> None:
    path = fresh(f"/owned-by-{owner}/")
    assert _provoked(proxy, service, "truncated", "GET", path, b"") is None
    assert (len(service.asked(path)), monolith.asked(path)) == (1, [])


@pytest.mark.parametrize("owner", OWNERS)
def test_a_status_that_is_not_listed_is_passed_on(
    proxy: RunningProxy, monolith: Origin, service: Origin, owner: str
) -> None:
    path = fresh(f"/owned-by-{owner}/")
    got = _provoked(proxy, service, "unlisted", "GET", path, b"")
    assert got is not None
    assert (got.status, got.body, monolith.asked(path)) == (500, b"broken", [])


@pytest.mark.parametrize("status", ["404 Not Found", "429 Too Many Requests"])
def test_a_clients_fault_is_never_asked_about_again(
    proxy: RunningProxy, monolith: Origin, service: Origin, status: str
) -> None:
    path = fresh("/owned-by-monolith/")
    service.scripted(path, says(answer(b"no", status)))
    assert str(fetch(proxy.port, path).status) == status[:3]
    assert monolith.asked(path) == []


def test_nothing_of_the_failed_answer_is_left(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/owned-by-monolith/")
    service.scripted(path, says(FAILED))
    got = fetch(proxy.port, path)
    assert (got.values("X-Failed"), got.values("Set-Cookie"), got.body) == ([], [], FROM_MONOLITH)


def test_both_are_asked_the_very_same_question(
    proxy: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/owned-by-monolith/")
    service.scripted(path, says(FAILED))
    fetch(proxy.port, path + "?q=%2f", "Accept: text/x")
    (first,), (second,) = service.asked(path), monolith.asked(path)
    assert first.head == second.head


def test_the_clients_connection_stays_in_order_over_a_fallback(proxy: RunningProxy, service: Origin) -> None:
    paths = [fresh("/owned-by-monolith/") for _ in range(3)]
    for path in paths[:2]:
        service.scripted(path, says(FAILED))
    with Client(proxy.port) as client:
        client.send(b"".join(head("GET", path) for path in paths))
        bodies = [client.answer().body for _ in paths]
    assert bodies == [FROM_MONOLITH, FROM_MONOLITH, b'{"from":"service"}']


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("kind", ["reset", "no head", "listed", "declined"])
def test_a_small_body_is_sent_again_whole(
    proxy: RunningProxy, monolith: Origin, service: Origin, kind: str, chunked: bool
) -> None:
    path = fresh("/owned-by-monolith/")
    service.scripted(path, KINDS[kind])
    with Client(proxy.port) as client:
        if chunked:
            client.send(head("GET", path, "Transfer-Encoding: chunked") + b"5\r\nhello\r\n")
            service.wait_for(path)
            client.send(b"1\r\n!\r\n0\r\n\r\n")
        else:
            client.send(head("GET", path, "Content-Length: 6") + b"hel")
            service.wait_for(path)
            client.send(b"lo!")
        assert client.answer().body == FROM_MONOLITH
    (asked,) = monolith.asked(path)
    assert asked.raw_body.replace(b"\r\n", b"").endswith(b"1!0" if chunked else b"hello!")
    assert asked.whole


@pytest.mark.parametrize("kind", ["no head", "listed"])
def test_a_body_over_the_cap_is_not_sent_again_and_the_log_says_so(
    proxy: RunningProxy, monolith: Origin, service: Origin, kind: str
) -> None:
    path = fresh("/owned-by-monolith/")
    got = _provoked(proxy, service, kind, "OPTIONS", path, LARGE)
    assert got is None or got.status in (503, 504)
    assert monolith.asked(path) == []
    until(lambda: "the body is not whole within 65536 bytes" in proxy.log(), "the log says so")


def test_a_route_may_keep_larger_bodies(proxy: RunningProxy, monolith: Origin, service: Origin) -> None:
    path = fresh("/roomy/")
    service.scripted(path, says(DECLINED))
    assert fetch(proxy.port, path, method="OPTIONS", body=LARGE).body == FROM_MONOLITH
    (asked,) = monolith.asked(path)
    assert asked.raw_body == LARGE


# --- nothing was sent ----------------------------------------------------------------------------


@pytest.mark.parametrize("owner", OWNERS)
def test_a_read_of_a_dead_service_is_answered_by_the_monolith(
    bereft: RunningProxy, monolith: Origin, owner: str
) -> None:
    path = fresh(f"/owned-by-{owner}/")
    assert fetch(bereft.port, path).body == FROM_MONOLITH
    assert len(monolith.asked(path)) == 1


def test_an_unsent_body_of_any_size_goes_to_the_monolith(bereft: RunningProxy, monolith: Origin) -> None:
    path = fresh("/owned-by-monolith/")
    assert fetch(bereft.port, path, method="OPTIONS", body=LARGE).status == 200
    (asked,) = monolith.asked(path)
    assert asked.raw_body == LARGE


@pytest.mark.parametrize(("method", "body"), list(product(WRITES, (b"", b"x", LARGE))))
def test_a_write_to_a_dead_owner_is_refused_and_may_be_asked_again(
    bereft: RunningProxy, monolith: Origin, method: str, body: bytes
) -> None:
    path = fresh("/owned-by-service/")
    with Client(bereft.port) as client:
        lines = (f"Content-Length: {len(body)}",) if body else ()
        client.send(head(method, path, *lines) + body[:1000])
        got = client.answer()
    assert (got.status, got.value("Retry-After")) == (503, "1")
    assert json.loads(got.body)["error"] == "upstream_unreachable"
    assert monolith.asked(path) == []


def test_an_upload_that_nobody_can_take_is_never_asked_for(bereft: RunningProxy) -> None:
    with Client(bereft.port) as client:
        client.send(head("POST", fresh("/gone/"), "Expect: 100-continue", "Transfer-Encoding: chunked"))
        got = client.answer()
        assert (got.status, got.interim, got.value("Connection")) == (503, (), "close")


@pytest.mark.parametrize("name", ["alone", "gone"])
def test_without_a_fallback_a_dead_service_is_unavailable(
    bereft: RunningProxy, monolith: Origin, name: str
) -> None:
    path = fresh(f"/{name}/")
    assert fetch(bereft.port, path).status == 503
    assert monolith.asked(path) == []


# --- never ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"), list(product(("alone", "gone"), ("reset", "reused and closed", "no head", "declined")))
)
def test_a_retired_or_unwilling_route_never_asks_the_monolith(
    proxy: RunningProxy, monolith: Origin, service: Origin, name: str, kind: str
) -> None:
    path = fresh(f"/{name}/")
    got = _provoked(proxy, service, kind, "GET", path, b"")
    assert got is not None
    assert (got.status, monolith.asked(path)) == (STATUS_OF_A_WRITE[kind], [])


def test_a_client_that_left_is_never_fallen_back_for(
    proxy: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/owned-by-monolith/")
    freed = threading.Event()

    def waits(peer: Peer, asked: Asked) -> None:
        if peer.sees_the_end():
            freed.set()
        raise Gone

    service.scripted(path, waits)
    with Client(proxy.port) as client:
        client.send(head("GET", path))
        service.wait_for(path)
    assert freed.wait(10)
    after = fresh("/owned-by-monolith/")
    assert fetch(proxy.port, after).status == 200
    assert (monolith.asked(path), len(service.asked(path))) == ([], 1)


def test_the_monolith_declines_nothing(proxy: RunningProxy, monolith: Origin, service: Origin) -> None:
    path = fresh("/elsewhere/")
    monolith.scripted(path, says(DECLINED))
    assert fetch(proxy.port, path, method="POST", body=b"x").status == 501
    assert (len(monolith.asked(path)), service.asked(path)) == (1, [])


def test_a_monolith_that_fails_too_is_the_answer(
    proxy: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/owned-by-monolith/")
    service.scripted(path, says(FAILED))
    monolith.scripted(path, says(answer(b"down", "500 Internal Server Error")))
    got = fetch(proxy.port, path)
    assert (got.status, got.body) == (500, b"down")
    assert (len(service.asked(path)), len(monolith.asked(path))) == (1, 1)


def test_a_fallback_is_not_compared_with_itself(
    proxy: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/reverse/")
    service.scripted(path, says(FAILED))
    assert fetch(proxy.port, path).body == FROM_MONOLITH
    other = fresh("/reverse/")
    assert fetch(proxy.port, other).body == b'{"from":"service"}'
    monolith.wait_for(other)  # its shadow, queued after one of `path` would have been
    assert len(monolith.asked(path)) == 1


# --- what is seen --------------------------------------------------------------------------------


def test_a_fallback_is_counted_by_route_and_reason(start: Start, service: Origin) -> None:
    running = start(route("counted", "service", STEADY, LISTED), workers=1)
    for script in (says(FAILED), says(DECLINED), says(DECLINED)):
        path = fresh("/counted/")
        service.scripted(path, script)
        assert fetch(running.port, path).status == 200

    def scrape() -> str:
        return requests.get(f"http://127.0.0.1:{running.admin_port}/metrics", timeout=5).text

    until(
        lambda: 'strangler_fallbacks_total{reason="declined",route="counted"} 2.0' in scrape(),
        "both are counted",
    )
    assert 'strangler_fallbacks_total{reason="status",route="counted"} 1.0' in scrape()
    (worker,) = running.ask("status")
    assert worker["counts"]["counted"] == {"monolith": {"requests": 3, "errors": 0}}


def test_a_read_that_found_no_connection_in_time_falls_back(
    start: Start, monolith: Origin, service: Origin
) -> None:
    running = start(
        route("held", "service", STEADY, ALONE),
        route("queued", "service", STEADY, IMPATIENT),
        options=("--connections", "1"),
        workers=1,
    )
    held, queued = fresh("/held/"), fresh("/queued/")
    release = threading.Event()

    def holds(peer: Peer, asked: Asked) -> None:
        release.wait(10)
        peer.send(answer(b"late"))

    service.scripted(held, holds)
    with Client(running.port) as client:
        client.send(head("GET", held))
        service.wait_for(held)
        assert fetch(running.port, queued).body == FROM_MONOLITH
        release.set()
        assert client.answer().body == b"late"
    assert fetch(running.port, fresh("/queued/")).body == b'{"from":"service"}'
    assert (service.asked(queued), len(monolith.asked(queued))) == ([], 1)
