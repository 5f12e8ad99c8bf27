"""Workers die, stop and are replaced; requests that were begun end."""

import asyncio
import logging
import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable

import pytest
from gunicorn.config import Config
from raw_client import BrokenOff, Client, fetch, head
from recording_origin import Asked, Origin, Peer, answer, fresh
from running_proxy import RunningProxy, until

from proxy.worker import ProxyWorker


def _held(origin: Origin, path: str) -> threading.Event:
    """Let `origin` answer requests for `path` only once the event returned is set."""
    release = threading.Event()

    def script(peer: Peer, asked: Asked) -> None:
        assert release.wait(20)
        peer.send(answer(b"at last"))

    origin.scripted(path, script)
    return release


def test_a_worker_killed_under_load_leaves_the_other_serving(start: Callable[..., RunningProxy]) -> None:
    running = start()
    before = running.pids()
    stop = threading.Event()
    good, broken = [0] * 4, [0] * 4

    def asking(number: int) -> None:
        while not stop.is_set():
            try:
                with Client(running.port) as client:
                    while not stop.is_set():
                        assert client.ask("GET", f"/service/load-{number}").status == 200
                        good[number] += 1
            except (BrokenOff, ConnectionError):
                broken[number] += 1

    threads = [threading.Thread(target=asking, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: min(good) > 20, "all clients are served")
        os.kill(min(before), signal.SIGKILL)
        seen = list(good)
        until(lambda: all(now > then + 20 for now, then in zip(good, seen, strict=True)), "service goes on")
        until(lambda: len(running.pids() - before) == 1, "the dead worker is replaced")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert max(broken) <= 1  # those whose connection the dead worker had


def test_stopping_lets_requests_end(start: Callable[..., RunningProxy], service: Origin) -> None:
    running = start(workers=1)
    path = fresh("/service/")
    release = _held(service, path)
    with Client(running.port) as client, Client(running.port) as idle:
        assert idle.ask("GET", fresh("/service/")).status == 200
        client.send(head("GET", path))
        service.wait_for(path)
        running.process.send_signal(signal.SIGTERM)
        assert idle.rest() == b""  # an idle connection closes at once
        release.set()
        got = client.answer()
        assert (got.status, got.body, got.value("Connection")) == (200, b"at last", "close")
        assert client.rest() == b""
    assert running.process.wait(15) == 0


def test_a_reload_replaces_the_workers_and_serves_on(
    start: Callable[..., RunningProxy], service: Origin
) -> None:
    running = start()
    path = fresh("/service/")
    release = _held(service, path)
    before = running.pids()
    with Client(running.port) as client:
        client.send(head("GET", path))
        service.wait_for(path)
        running.process.send_signal(signal.SIGHUP)
        until(lambda: len(running.pids() - before) == 2, "new workers answer")
        assert all(fetch(running.port, fresh("/service/")).status == 200 for _ in range(20))
        release.set()
        assert client.answer().body == b"at last"
    until(lambda: not running.pids() & before, "the old workers are gone")
    assert fetch(running.port, fresh("/service/")).status == 200


def test_stopping_amid_a_question_is_no_fault(start: Callable[..., RunningProxy]) -> None:
    running = start(workers=1)
    (path,) = running.control.glob("worker-*.sock")
    with socket.socket(socket.AF_UNIX) as control, Client(running.admin_port) as admin:
        control.connect(str(path))
        control.sendall(b'{"verb": "status"}\n{"verb":')
        assert control.recv(65536)  # the worker now waits for the rest
        admin.send(b"GET /healthz")
        assert fetch(running.admin_port, "/healthz").status == 200
        running.stop()


def test_a_duty_that_fails_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    worker = ProxyWorker(1, os.getpid(), [], None, 30, Config(), logging.getLogger("proxy"))
    outcomes = iter([ValueError("once"), ValueError("twice")])

    async def running() -> None:
        recovered = asyncio.Event()

        def duty() -> None:
            for fault in outcomes:
                raise fault
            recovered.set()

        ticking = asyncio.create_task(worker._every(0.001, duty))
        await asyncio.wait_for(recovered.wait(), 10)
        ticking.cancel()

    asyncio.run(running())
    worker.tmp.close()
    assert caplog.text.count("a periodic duty failed") == 2


def test_a_lost_counts_folder_stops_no_deadline(start: Callable[..., RunningProxy], service: Origin) -> None:
    running = start(workers=1)
    shutil.rmtree(running.control / "counts")
    for _ in range(2):
        path = fresh("/hasty/")
        release = _held(service, path)
        assert fetch(running.port, path).status == 504
        release.set()
