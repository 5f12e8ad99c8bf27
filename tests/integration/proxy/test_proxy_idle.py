"""A thousand idle clients cost little, hold nobody up, and leave nothing behind."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from raw_client import Client, fetch
from recording_origin import Origin, fresh
from running_proxy import EVERY_STAGE, RunningProxy, table, until

IDLE = 1000
KIB = 1024
EACH = 4 * KIB  # measured: 1 to 1.5


@pytest.fixture
def roomy() -> Iterator[None]:
    """Let this process and the proxy it starts open enough files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + 500
    if 0 < hard < wanted:
        pytest.skip(f"found {hard} open files allowed, wanted {wanted}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _clients(port: int, number: int) -> list[Client]:
    """Return clients that have each been answered once."""
    clients = [Client(port) for _ in range(number)]
    for client in clients:
        assert client.ask("GET", fresh("/service/")).status == 200
    return clients


def _connections(running: RunningProxy) -> int:
    return sum(int(worker["connections"]) for worker in running.ask("status"))


def test_a_thousand_idle_clients_cost_little_and_hold_nobody_up(
    tmp_path: Path, roomy: None, monolith: Origin, service: Origin
) -> None:
    running = RunningProxy(tmp_path, table(monolith.url, service.url, *EVERY_STAGE), workers=1)
    try:
        for client in _clients(running.port, 100):
            client.close()
        until(lambda: _connections(running) == 0, "those that warmed it up are gone")
        before = running.resident_bytes()
        clients = _clients(running.port, IDLE)
        assert _connections(running) == IDLE
        assert (running.resident_bytes() - before) / IDLE < EACH
        assert fetch(running.port, fresh("/service/")).status == 200
        assert clients[0].ask("GET", fresh("/service/")).status == 200
        for client in clients:
            client.close()
        until(lambda: _connections(running) == 0, "all are forgotten")
    finally:
        running.stop()
