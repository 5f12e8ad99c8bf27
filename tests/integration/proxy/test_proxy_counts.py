"""What was counted stays counted, whichever workers die, and is told by those that live."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from raw_client import BrokenOff, Client, fetch, head
from recording_origin import Origin, answer, fresh, says
from running_proxy import RunningProxy, until

from proxy.claims import Purpose, signed
from strangler.status import most_unmatched, total_counts
from strangler.workers import seats_of, worker_statuses

Start = Callable[..., RunningProxy]


def _counters(running: RunningProxy) -> dict[str, float]:
    """Return every counter and every number of the histogram, by name and labels."""
    text = fetch(running.admin_port, "/metrics").body.decode()
    return {
        f"{sample.name} {sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)
        if family.type != "gauge"
        for sample in family.samples
    }


def _gauge(running: RunningProxy, name: str, **labels: str) -> float:
    text = fetch(running.admin_port, "/metrics").body.decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return sum(sample.value for sample in families[name].samples if sample.labels == labels)


def _answered(running: RunningProxy, route: str) -> float:
    counters = _counters(running).items()
    name = "strangler_request_seconds_count"
    return sum(number for key, number in counters if key.startswith(name) and f"('route', '{route}')" in key)


def test_no_counter_ever_goes_down_when_workers_are_killed(start: Start) -> None:
    running = start(workers=2)
    stop = threading.Event()
    good = [0] * 3

    def asking(number: int) -> None:
        while not stop.is_set():
            try:
                with Client(running.port) as client:
                    while not stop.is_set():
                        assert client.ask("GET", f"/service/{number}").status == 200
                        good[number] += 1
            except (BrokenOff, ConnectionError):
                pass

    threads = [threading.Thread(target=asking, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        seen: dict[str, float] = {}
        for _ in range(6):
            before = running.pids()
            os.kill(max(before), signal.SIGKILL)
            for _ in range(5):
                now = _counters(running)
                assert all(now[name] >= value for name, value in seen.items())
                seen = now
            until(lambda then=before: len(running.pids() - then) == 1, "another takes its place")  # type: ignore[misc]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    # a worker counts a request once its answer has left, so a kill may lose the one that it is at
    assert _answered(running, "service") >= sum(good) - 6
    assert _gauge(running, "strangler_workers") == 2


def _ask_every_worker(running: RunningProxy, path: str) -> None:
    """Ask until every worker has answered for the path's route."""
    name = path.split("/")[1]

    def answered() -> bool:
        fetch(running.port, path)
        return all(name in worker["counts"] for worker in running.ask("status"))

    until(answered, "every worker has answered")


def test_the_last_minutes_outlive_the_worker_that_answered(start: Start) -> None:
    running = start(workers=2)
    _ask_every_worker(running, fresh("/monolith/"))
    total, before = running.total("monolith"), running.pids()
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(running.pids() - before) == 1, "another takes its place")
    workers = running.ask("status")
    assert sum(worker["recent"]["60"]["monolith"]["monolith"]["requests"] for worker in workers) == total
    assert running.total("monolith") == total


def test_what_no_route_names_outlives_the_worker_too(start: Start) -> None:
    running = start(workers=1)
    (pid,) = running.pids()
    fetch(running.port, "/orders/17/")
    seat = running.control / "counts" / "0"

    def kept() -> bool:
        return b"/orders/{id}/" in _bytes(seat / "unmatched.json")

    until(kept, "the path is kept")
    os.kill(pid, signal.SIGKILL)
    until(lambda: bool(running.pids() - {pid}), "another takes its place")
    (worker,) = running.ask("status")
    assert worker["unmatched"] == [{"method": "GET", "path": "/orders/{id}/", "requests": 1}]


def test_what_a_reload_leaves_behind_is_told_once(start: Start) -> None:
    running = start(workers=2)
    _ask_every_worker(running, fresh("/monolith/"))
    fetch(running.port, "/orders/17/")
    total, before = running.total("monolith"), running.pids()
    running.process.send_signal(signal.SIGHUP)
    until(lambda: not running.pids() & before and running.complete(), "only new workers answer")
    until(lambda: running.ask("status")[0]["left"].keys() == {"0", "1"}, "the old ones' seats are empty")
    seats = seats_of(worker_statuses(running.control).answers)
    assert total_counts((seat.counts for seat in seats), "monolith")["monolith"].requests == total
    assert total_counts((seat.recent[900] for seat in seats), "monolith")["monolith"].requests == total
    assert [(each.path, each.requests) for each in most_unmatched(seats)] == [("/orders/{id}/", 1)]
    assert _answered(running, "monolith") == total


def test_what_only_the_proxy_or_its_operator_may_say_is_counted(start: Start) -> None:
    running = start(workers=1)
    forged = ("Identity: me", "Service-Key: k", "Debug: 9999999999.00", "Target: service.9999999999.00")
    for line in ("Script_Name: /x", *(f"X-Strangler-{rest}" for rest in forged)):
        fetch(running.port, fresh("/monolith/"), line)
    counters = _counters(running)
    wanted = {"header": 2, "underscore": 1, "debug": 1, "target": 1}
    assert {what: counters[f"strangler_forgeries_total [('what', '{what}')]"] for what in wanted} == wanted


def _bytes(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""


def test_pins_claims_and_parked_writes_are_counted_by_group(start: Start) -> None:
    running = start(workers=1)
    who = "Cookie: sessionid=alice"
    fetch(running.port, fresh("/kept/"), who, method="POST")
    fetch(running.port, fresh("/service/"), who)
    secret = (running.control / "secret").read_bytes()
    claim = signed(secret, Purpose.TARGET, int(time.time()) + 60, "service")
    fetch(running.port, fresh("/monolith/"), f"X-Strangler-Target: {claim}")
    running.ask("hold", group="reads", seconds=30)
    with Client(running.port) as client:
        client.send(head("POST", fresh("/kept/")))
        until(lambda: _gauge(running, "strangler_parked_writes", group="reads") == 1, "it waits")
        running.ask("release", group="reads")
        assert client.answer("POST").status == 200
    until(lambda: _gauge(running, "strangler_parked_writes", group="reads") == 0, "none waits")
    counters = _counters(running)
    for name in ("pinned_reads", "claimed_reads", "released_writes"):
        assert counters[f"strangler_{name}_total [('group', 'reads')]"] == 1


def test_a_write_that_followed_its_owner_is_counted(start: Start, monolith: Origin, service: Origin) -> None:
    running = start(workers=1)
    path = fresh("/moved/")
    said = (b"X-Strangler-Moved", b"writes; epoch=2; effect=none")
    service.scripted(path, says(answer(b"", "409 Conflict", [said])))
    with Client(running.port) as client:
        client.send(head("POST", path))
        service.wait_for(path)
        running.apply(running.table.read_text().replace('owner = "service"', 'owner = "monolith"', 1))
        client.answer("POST")
    assert _counters(running)["strangler_followed_writes_total [('group', 'writes')]"] == 1
