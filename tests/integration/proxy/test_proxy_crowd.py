"""A worker that has as many clients as it may have serves on: the idle make room, and nobody busy is cut."""

import resource
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from raw_client import BrokenOff, Client, fetch, head
from recording_origin import Asked, Origin, Peer, answer, fresh
from running_proxy import RunningProxy, until

MOST = 8


@pytest.fixture
def crowded(start: Callable[..., RunningProxy]) -> RunningProxy:
    return start(options=("--clients", str(MOST)), workers=1)


@pytest.fixture
def opened() -> Iterator[list[Client]]:
    clients: list[Client] = []
    yield clients
    for client in clients:
        client.close()


def _counted(running: RunningProxy, which: str) -> bool:
    text = fetch(running.admin_port, "/metrics").body.decode()
    return f'strangler_crowded_clients_total{{which="{which}"}}' in text


def test_the_longest_idle_make_room_for_new_clients(crowded: RunningProxy, opened: list[Client]) -> None:
    for _ in range(MOST):
        opened.append(Client(crowded.port))
        assert opened[-1].ask("GET", fresh("/service/")).status == 200
    assert opened[0].ask("GET", fresh("/service/")).status == 200  # so the second is idle the longest
    for gone in (1, 2, 3):
        opened.append(Client(crowded.port))
        assert opened[-1].ask("GET", fresh("/service/")).status == 200
        assert opened[gone].rest() == b""
    assert opened[0].ask("GET", fresh("/service/")).status == 200
    assert _counted(crowded, "idle")
    assert not _counted(crowded, "new")


def test_who_is_answered_is_never_cut_for_a_new_client(
    crowded: RunningProxy, opened: list[Client], service: Origin
) -> None:
    release = threading.Event()

    def held(peer: Peer, asked: Asked) -> None:
        assert release.wait(20)
        peer.send(answer(b"at last"))

    try:
        for _ in range(MOST):
            path = fresh("/service/")
            service.scripted(path, held)
            opened.append(Client(crowded.port))
            opened[-1].send(head("GET", path))
            service.wait_for(path)
        with pytest.raises((BrokenOff, ConnectionError)):
            fetch(crowded.port, fresh("/service/"))
        release.set()
        assert [client.answer().body for client in opened] == [b"at last"] * MOST
    finally:
        release.set()
    assert fetch(crowded.port, fresh("/service/")).status == 200  # one of them is idle by now
    assert _counted(crowded, "new")


def test_a_head_that_arrives_slowly_is_no_idle_client(crowded: RunningProxy, opened: list[Client]) -> None:
    words = head("GET", fresh("/service/"))
    slow = Client(crowded.port)
    opened.append(slow)
    slow.send(words[:20])
    for _ in range(MOST * 2):
        opened.append(Client(crowded.port))
        assert opened[-1].ask("GET", fresh("/service/")).status == 200
    slow.send(words[20:])
    assert slow.answer().status == 200


def test_a_worker_that_ran_out_of_files_recovers(
    start: Callable[..., RunningProxy], opened: list[Client]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files, clients = 256, 400
    if 0 < hard < 1000:
        pytest.skip(f"found {hard} open files allowed, wanted 1,000")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1000), hard))
    try:
        running = start(workers=1)
        (pid,) = running.pids()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (files, files))
        opened += [Client(running.port) for _ in range(clients)]
        until(lambda: len(list(Path(f"/proc/{pid}/fd").iterdir())) > files - 10, "no file is left")
        for client in opened:
            client.close()
        until(lambda: len(running.pids()) == 1, "the worker answers again")
        assert fetch(running.port, fresh("/service/")).status == 200
        assert running.pids() == {pid}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_limit_on_open_files_is_raised_as_far_as_it_may_be(start: Callable[..., RunningProxy]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        running = start(workers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    (pid,) = running.pids()
    found, _ = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    assert found > 256 or hard == 256
