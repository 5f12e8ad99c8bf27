"""Shadows never reach a client: not its answer, not its next request, not its cookies."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from listening_comparer import Comparer
from raw_client import HOST, Client, fetch
from recording_origin import Asked, Origin, Peer, answer, fresh, says, says_once
from running_proxy import RunningProxy, route, table, until

from proxy.pairs import Failure, Response
from tests.ports import free_port


@pytest.fixture(scope="module")
def shadowing(
    tmp_path_factory: pytest.TempPathFactory,
    monolith: Origin,
    service: Origin,
    comparer: tuple[Comparer, Path],
) -> Iterator[RunningProxy]:
    """A proxy whose workers are connected to a comparer."""
    text = table(
        monolith.url,
        service.url,
        route("shadow", "shadow"),
        route("reverse", "service", "shadow = { percent = 100 }"),
        route("brief", "shadow", "timeouts = { head = 0.2 }"),
        route("none", "shadow", "shadow = { percent = 0 }"),
    )
    running = RunningProxy(tmp_path_factory.mktemp("shadowing"), text, "--pairs", str(comparer[1]))
    yield running
    running.stop()


def test_a_shadow_never_delays_the_client_nor_its_next_request(proxy: RunningProxy, service: Origin) -> None:
    paths = [fresh("/shadow/") for _ in range(20)]
    release = threading.Event()
    for path in paths:
        service.scripted(path, says_once(release))
    try:
        with Client(proxy.port) as client:
            assert [client.ask("GET", path).status for path in paths] == [200] * 20
        service.wait_for(paths[0])  # the first shadow is still unanswered, and was all the while
    finally:
        release.set()


def test_a_shadow_is_asked_after_the_client_has_its_answer(
    proxy: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/shadow/")
    release = threading.Event()
    monolith.scripted(path, says_once(release))
    with Client(proxy.port) as client:
        thread = threading.Thread(target=client.ask, args=("GET", path))
        thread.start()
        monolith.wait_for(path)
        assert service.asked(path) == []
        release.set()
        thread.join()
    service.wait_for(path)


def test_nothing_of_a_shadows_answer_is_seen(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/shadow/")
    service.scripted(path, says(answer(b"shadow", status="500 No", headers=[(b"Set-Cookie", b"s=1")])))
    with Client(proxy.port) as client:
        first = client.ask("GET", path)
        service.wait_for(path)
        second = client.ask("GET", fresh("/monolith/"))
    for got in (first, second):
        assert (got.status, got.body, got.values("Set-Cookie")) == (200, b'{"from":"monolith"}', [])


def test_a_shadow_is_marked_and_otherwise_the_same_request(
    proxy: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/shadow/")
    fetch(proxy.port, path + "?q=%2F", "Cookie: a=1", "Accept: x/y")
    (control,), (candidate,) = monolith.wait_for(path), service.wait_for(path)
    assert candidate.target == control.target
    sent = [pair for pair in candidate.headers if pair[0] != b"traceparent"]
    assert sent == [
        *(pair for pair in control.headers if pair[0] != b"traceparent"),
        (b"X-Strangler-Shadow", b"1"),
    ]
    assert candidate.values(b"host") == [HOST.encode()]
    assert control.values(b"x-strangler-shadow") == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_writes_are_never_shadowed(
    proxy: RunningProxy, monolith: Origin, service: Origin, method: str
) -> None:
    path, marker = fresh("/shadow-writes/"), fresh("/shadow-writes/")
    with Client(proxy.port) as client:
        assert client.ask(method, path, body=b"x").status == 200
        client.ask("GET", marker)
    service.wait_for(marker)  # a shadow of the write would have come before this one
    assert len(monolith.asked(path)) == 1
    assert service.asked(path) == []


def test_both_answers_reach_the_comparer(
    shadowing: RunningProxy, comparer: tuple[Comparer, Path], service: Origin
) -> None:
    path = fresh("/shadow/")
    service.scripted(path, says(answer(b"other", status="404 Not Found", headers=[(b"X-A", b"1")])))
    request_id = fetch(shadowing.port, path + "?x=1", "Accept: a/b").value("X-Request-ID")
    pair = comparer[0].pair_of(path + "?x=1")
    assert (pair.id, pair.route, pair.stage) == (request_id, "shadow", "shadow")
    assert (pair.control, pair.candidate) == ("monolith", "service")
    assert pair.version == shadowing.ask("status")[0]["version"]
    assert isinstance(pair.control_answer, Response)
    assert isinstance(pair.candidate_answer, Response)
    assert (pair.control_answer.status, pair.control_answer.body) == (200, b'{"from":"monolith"}')
    assert (pair.candidate_answer.status, pair.candidate_answer.body) == (404, b"other")
    assert (b"X-A", b"1") in pair.candidate_answer.headers


def test_a_pairs_request_is_the_one_the_control_was_asked(
    shadowing: RunningProxy, comparer: tuple[Comparer, Path], monolith: Origin
) -> None:
    path = fresh("/shadow/")
    fetch(shadowing.port, path, "Cookie: a=1; strangler_cohort=x.y", "SCRIPT_NAME: /x", "TE: gzip")
    (asked,) = monolith.wait_for(path)
    assert list(comparer[0].pair_of(path).request.headers) == asked.headers


def test_a_reverse_shadow_names_its_sides(shadowing: RunningProxy, comparer: tuple[Comparer, Path]) -> None:
    path = fresh("/reverse/")
    fetch(shadowing.port, path)
    pair = comparer[0].pair_of(path)
    assert (pair.control, pair.candidate, pair.stage) == ("service", "monolith", "service")


def test_a_candidate_that_fails_is_a_failure_in_its_pair(
    shadowing: RunningProxy, comparer: tuple[Comparer, Path], service: Origin
) -> None:
    reset, silent = fresh("/shadow/"), fresh("/brief/")
    release = threading.Event()
    service.scripted(reset, lambda peer, asked: peer.reset())
    service.scripted(silent, says_once(release))
    try:
        for path, error in ((reset, "upstream_reset"), (silent, "upstream_timeout")):
            assert fetch(shadowing.port, path).status == 200
            failure = comparer[0].pair_of(path).candidate_answer
            assert isinstance(failure, Failure)
            assert failure.error == error
    finally:
        release.set()


def test_a_shadow_on_a_connection_just_closed_is_asked_once_more(
    shadowing: RunningProxy, comparer: tuple[Comparer, Path], service: Origin
) -> None:
    warming, path = fresh("/shadow/"), fresh("/shadow/")

    def closes_kept_connections(peer: Peer, asked: Asked) -> None:
        if peer.answered:
            peer.close()
        else:
            peer.send(answer(b"fresh"))

    service.scripted(path, closes_kept_connections)
    with Client(shadowing.port) as client:
        client.ask("GET", warming)
        comparer[0].pair_of(warming)
        client.ask("GET", path)
    found = comparer[0].pair_of(path).candidate_answer
    assert isinstance(found, Response)
    assert (found.body, len(service.asked(path))) == (b"fresh", 2)


def test_a_body_over_the_bound_is_kept_truncated(
    shadowing: RunningProxy, comparer: tuple[Comparer, Path], monolith: Origin
) -> None:
    path = fresh("/shadow/")
    monolith.scripted(path, says(answer(b"x" * (1024 * 1024 + 1))))
    assert len(fetch(shadowing.port, path).body) == 1024 * 1024 + 1
    kept = comparer[0].pair_of(path).control_answer
    assert isinstance(kept, Response)
    assert kept.truncated
    assert len(kept.body) <= 1024 * 1024


def test_no_share_means_no_shadow(
    shadowing: RunningProxy, comparer: tuple[Comparer, Path], service: Origin
) -> None:
    path, marker = fresh("/none/"), fresh("/shadow/")
    with Client(shadowing.port) as client:
        client.ask("GET", path)
        client.ask("GET", marker)
    comparer[0].pair_of(marker)
    assert service.asked(path) == []


def test_what_the_queue_cannot_hold_is_dropped_and_counted(
    start: Callable[..., RunningProxy], monolith: Origin, service: Origin
) -> None:
    running = start(route("shadow", "shadow"), workers=1)
    release = threading.Event()
    paths = [fresh("/shadow/") for _ in range(8 + 256 + 10)]  # asked at once, queued, one too many
    for path in paths:
        service.scripted(path, says_once(release))
    try:
        with Client(running.port) as client:
            assert all(client.ask("GET", path).status == 200 for path in paths)
        until(lambda: running.shadows()["dropped"] == 10, "ten shadows are dropped")
    finally:
        release.set()
    everything = {"sent": 0, "failed": 0, "dropped": len(paths), "queued": 0}  # no comparer took a pair
    until(lambda: running.shadows() == everything, "every shadow is accounted for")


def test_large_answers_fill_the_queue_by_their_bytes(
    start: Callable[..., RunningProxy], monolith: Origin, service: Origin
) -> None:
    running = start(route("shadow", "shadow"), workers=1)
    release = threading.Event()
    paths = [fresh("/shadow/") for _ in range(8 + 32 + 5)]  # asked at once, 32 MiB queued, five too many
    for path in paths:
        monolith.scripted(path, says(answer(b"x" * 1024 * 1024)))
        service.scripted(path, says_once(release))
    try:
        with Client(running.port) as client:
            assert all(client.ask("GET", path).status == 200 for path in paths)
        until(lambda: running.shadows()["dropped"] == 5, "five shadows are dropped")
    finally:
        release.set()
    until(lambda: running.shadows()["queued"] == 0, "the queue empties")


def test_a_comparer_that_comes_late_is_found(start: Callable[..., RunningProxy], tmp_path: Path) -> None:
    place = tmp_path / "late.sock"
    running = start(route("shadow", "shadow"), options=("--pairs", str(place)), workers=1)
    assert fetch(running.port, fresh("/shadow/")).status == 200
    until(lambda: running.shadows()["dropped"] == 1, "the pair is dropped while nobody listens")
    comparing = Comparer(place, workers=1)
    try:
        assert comparing.connected.acquire(timeout=10)
        path = fresh("/shadow/")
        fetch(running.port, path)
        assert comparing.pair_of(path).route == "shadow"
    finally:
        running.stop()
        comparing.close()


def test_without_a_comparer_shadows_change_nothing(
    start: Callable[..., RunningProxy], tmp_path: Path, service: Origin
) -> None:
    running = start(route("shadow", "shadow"), options=("--pairs", str(tmp_path / "nobody.sock")))
    path = fresh("/shadow/")
    assert fetch(running.port, path).body == b'{"from":"monolith"}'
    service.wait_for(path)
    until(lambda: running.shadows()["dropped"] == 1, "the pair is dropped")


def test_a_dead_candidate_is_left_alone_for_a_moment_and_tried_again(
    start: Callable[..., RunningProxy], tmp_path: Path, monolith: Origin
) -> None:
    place = tmp_path / "pairs.sock"
    comparing = Comparer(place, workers=1)
    running = start(options=("--pairs", str(place)), workers=1)
    try:
        assert comparing.connected.acquire(timeout=10)
        dead = f"http://127.0.0.1:{free_port()}"
        running.apply(table(monolith.url, dead, route("shadow", "shadow")))
        fetch(running.port, fresh("/shadow/"))
        until(lambda: running.shadows()["failed"] == 1, "it was tried")
        for _ in range(8):
            assert fetch(running.port, fresh("/shadow/")).status == 200
        assert running.shadows() == {"sent": 0, "failed": 1, "dropped": 8, "queued": 0}

        def tried_again() -> bool:
            fetch(running.port, fresh("/shadow/"))
            return running.shadows()["failed"] > 1

        until(tried_again, "it is tried again")
    finally:
        running.stop()
        comparing.close()
