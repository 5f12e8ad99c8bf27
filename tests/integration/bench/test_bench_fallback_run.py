"""Origins that fail as they are told write down what they have performed; writes are counted at both."""

import http.client
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.fallback.configs import PATH, ours_table
from bench.fallback.failing import Failing
from bench.fallback.writes import METHODS, Performed, perform, performed, some_writes
from bench.processes import free_port, pinned
from bench.proxy import ours


@contextmanager
def origin(name: str, failing: Failing, folder: Path) -> Iterator[int]:
    port, record = free_port(), folder / f"{name}.record"
    record.touch()
    command = [sys.executable, "-m", "bench.fallback.origin", "--port", str(port), "--name", name]
    command += ["--failing", failing, "--record", str(record)]
    with pinned(name, command, cores=[0], port=port, log=folder / f"{name}.log"):
        yield port


@contextmanager
def proxy(service: int, monolith: int, folder: Path) -> Iterator[int]:
    port, table = free_port(), folder / "routes.toml"
    table.write_text(ours_table(service, monolith))
    command = ours.command(sys.executable, table, folder / "control", port=port, workers=1)
    with pinned("ours", command, cores=[0], port=port, log=folder / "log"):
        yield port


def read(port: int) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", f"{PATH}1")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers["X-Origin"]


@pytest.mark.parametrize("failing", [Failing.NOT, Failing.ERROR, Failing.RESET, Failing.HUNG])
def test_a_read_is_answered_and_a_write_is_performed_once_by_its_owner(
    tmp_path: Path, failing: Failing
) -> None:
    asked = some_writes(1)
    with (
        origin("monolith", Failing.NOT, tmp_path) as monolith,
        origin("service", failing, tmp_path) as service,
        proxy(service, monolith, tmp_path) as port,
    ):
        answerer = "service" if failing is Failing.NOT else "monolith"
        assert read(port) == (200, answerer)
        perform(port, asked)
    records = [(tmp_path / f"{name}.record").read_text().splitlines() for name in ("service", "monolith")]
    number = len(METHODS)
    assert performed(asked, *records) == Performed(number, number, 0, 0, 0)


def test_a_dead_service_costs_no_read_and_lets_no_write_go_astray(tmp_path: Path) -> None:
    asked = some_writes(1)
    with (
        origin("monolith", Failing.NOT, tmp_path) as monolith,
        proxy(free_port(), monolith, tmp_path) as port,
    ):
        assert read(port) == (200, "monolith")
        perform(port, asked)
    assert (tmp_path / "monolith.record").read_text() == ""
